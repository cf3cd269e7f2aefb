import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Refused } from '../core/errors.ts';
import { bundle, folderOf } from './bundle.ts';
import { readInstallation } from './installation.ts';
import { RekeyStack } from './stack.ts';

/**
 * The cloud assembly of one stage. Context:
 *   stage          names the deployment and everything in it (default `dev`)
 *   installation   a folder with settings.yaml, policy.yaml and providers/*.yaml, each optional
 *   table          a table that was restored from a backup, to be used instead of the stack's own (docs/restore.md)
 *   former         with `table`: the table that was used before it, where that is not the stack's own
 *   kept           `yes`: an earlier stack of this stage left the table and the pepper, which are used and not made (docs/restore.md)
 *   secrets, parameters   names that keys may be delivered to, by comma, `*` at an end allowed (default `<stage>/*`)
 *   consumerAccounts    other accounts whose services hear notices, by comma (docs/consumers.md)
 *   reservedForRevoke     executions kept free for each function of the kill path (default none)
 */
try {
  const app = new App();
  const context = (name: string): string | undefined => app.node.tryGetContext(name);
  const stage = context('stage') ?? 'dev';
  const installation = readInstallation(stage, context('installation'));
  const names = (of: string) => (context(of) ?? `${stage}/*`).split(',').map((name) => name.trim());
  const out = join(app.outdir, 'bundles');
  await bundle(out, installation);
  new RekeyStack(app, 'Rekey', {
    stackName: `${stage}-rekey`,
    description: 'Rekey: keeps API keys young and kills the leaked ones',
    terminationProtection: stage === 'prod',
    installation,
    code: (entry) => Code.fromAsset(folderOf(out, entry)),
    reservedForRevoke: reserved(context('reservedForRevoke')),
    consumerAccounts: accounts(context('consumerAccounts')),
    ...tables(context),
    delivers: { secrets: names('secrets'), parameters: names('parameters') },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error([`${error.code}: ${error.message}`, ...error.problems.map(({ path, message }) => `  ${path}: ${message}`)].join('\n'));
  process.exitCode = 2;
}

/** Which tables there are. A word that is not meant is refused: without a table of its own, a stack would make one. */
function tables(context: (name: string) => string | undefined) {
  const [table, former, kept] = ['table', 'former', 'kept'].map(context);
  if (former !== undefined && table === undefined)
    throw new Refused('E_INPUT_INVALID', 'former names the table before a restored one: say with table which one was restored');
  if (kept !== undefined && kept !== 'yes') throw new Refused('E_INPUT_INVALID', 'kept is yes, or is left out');
  return { table, former, kept: kept === 'yes' };
}

function accounts(given: string | undefined): string[] {
  const ids = (given ?? '').split(',').flatMap((one) => one.trim() || []);
  if (ids.every((id) => /^\d{12}$/.test(id))) return ids;
  throw new Refused('E_INPUT_INVALID', 'consumerAccounts must be ids of accounts, 12 digits each, separated by commas');
}

function reserved(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new Refused('E_INPUT_INVALID', 'reservedForRevoke must be a whole number from 1 to 9999');
}
