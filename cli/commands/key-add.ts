import { Command } from 'commander';
import type { CapabilitySheet } from '../../core/capability.ts';
import { Refused, refusals } from '../../core/errors.ts';
import type { RejectedRow } from '../../requests/key-document.ts';
import { type Added, addKey, type First } from '../add-key.ts';
import { capabilityLines } from '../capability-text.ts';
import { exits } from '../ending.ts';
import { type KeyFiles, readKeyFiles } from '../key-files.ts';
import { table } from '../output.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';
import { valueSource } from '../value-source.ts';

interface Options extends GlobalOptions {
  readonly file: readonly string[];
  readonly valueFrom?: string;
  readonly credentialId?: string;
  readonly mint?: boolean;
  readonly partial?: boolean;
  readonly dryRun?: boolean;
}

/** `rekey key add`: registers keys from files, and gives them their first version. Interrupted, it can be run again. */
export function keyAdd(): Command {
  return new Command('add')
    .description('register keys from files, or bring registered ones up to date; what is there already stays unchanged')
    .requiredOption('-f, --file <paths...>', 'key documents, or folders of them')
    .option(
      '--value-from <source>',
      'adopt the one key of the file: "-" reads its value from stdin or a hidden prompt; store:REF from a store',
    )
    .option('--credential-id <id>', "with --value-from: the vendor's id of the key, where it cannot be found by itself")
    .option('--mint', 'have the vendor mint version 1 of every key that has none')
    .option('--partial', 'register the good rows although others are refused')
    .option('--dry-run', 'check the files, and do nothing')
    .addHelpText(
      'after',
      examples(
        'key add -f keys/',
        'key add -f stripe.yaml --value-from - < value.txt',
        'key add -f stripe.yaml --mint',
        'key add -f keys/ --dry-run --json',
      ),
    )
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const read = readKeyFiles(options.file);
  const first = firstVersion(session, options, read);
  const { tiers, ...files } = await checked(session, read, options.dryRun);
  if (options.dryRun) {
    session.result(document(files, []), () => (files.keys.length ? good(files, tiers) : 'No good rows.'));
    return files.rejected.length ? refuse(session, files, 'these rows would be refused') : exits.ok;
  }
  if (files.rejected.length && !options.partial)
    return refuse(session, files, 'nothing was registered (--partial registers the good rows)');
  const added: Added[] = [];
  for (const { facts } of files.keys) {
    session.redraw(`${added.length} of ${files.keys.length}: ${facts.id}`);
    added.push(await addKey(session, facts, first));
  }
  await sayWhatToExpect(session, files);
  session.result(document(files, added), () => summary(added));
  for (const { keyId, failure } of added)
    for (const { path, message } of failure?.problems ?? []) session.note(`${keyId}: ${path} ${message}`);
  if (files.rejected.length) return refuse(session, files, 'these rows were not registered');
  const failed = added.find(({ failure }) => failure);
  return failed?.failure ? (refusals[failed.failure.code as keyof typeof refusals] ?? exits.unexpected) : exits.ok;
}

/** What each of the keys' providers can and cannot do: whoever registers a key should have read it once. */
async function sayWhatToExpect(session: Session, { keys }: KeyFiles): Promise<void> {
  for (const provider of new Set(keys.map(({ facts }) => facts.provider)))
    for (const line of capabilityLines(await session.door.ask<CapabilitySheet>('provider.show', { provider }))) session.note(line);
}

/** Asks the installation about every row before the first is registered: only it knows its policy, its providers and its destinations. */
async function checked(
  session: Session,
  { keys, rejected }: KeyFiles,
  dryRun: boolean | undefined,
): Promise<KeyFiles & { readonly tiers: Tiers }> {
  const refused: RejectedRow[] = [];
  const tiers = new Map<string, string>();
  for (const { facts, source } of keys) {
    try {
      const { tier } = await session.door.ask<{ tier: string }>('key.register', { facts, dryRun: true });
      tiers.set(facts.id, tier);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === 'E_UNREACHABLE' && dryRun) {
        session.note(`Only the files were checked: ${error.message}`);
        break;
      }
      if (!['E_INPUT_INVALID', 'E_SECRET_IN_INPUT', 'E_NOT_FOUND'].includes(error.code)) throw error;
      const problems = error.problems.length ? error.problems : [{ path: '', message: error.message }];
      refused.push({ id: facts.id, source, problems: problems.map(({ path, message }) => ({ path: `${source}: ${path}`, message })) });
    }
  }
  return { keys: keys.filter(({ facts }) => !refused.some(({ id }) => id === facts.id)), rejected: [...rejected, ...refused], tiers };
}

/** The tier that the installation's policy gives each key; none for a key that nobody could be asked about. */
type Tiers = ReadonlyMap<string, string>;

function good({ keys }: KeyFiles, tiers: Tiers): string {
  const rows = keys.map(({ facts, source }) => [facts.id, tiers.get(facts.id) ?? '-', source]);
  return table(['KEY', 'TIER', 'FROM'], rows);
}

function firstVersion(session: Session, { valueFrom, credentialId, mint, region }: Options, { keys, rejected }: KeyFiles): First {
  if (valueFrom === undefined && credentialId !== undefined) throw new Refused('E_USAGE', '--credential-id belongs to --value-from');
  if (valueFrom === undefined) return mint ? { how: 'mint' } : { how: 'none' };
  if (mint) throw new Refused('E_USAGE', 'a key is either adopted (--value-from) or minted (--mint)');
  if (keys.length + rejected.length !== 1) throw new Refused('E_USAGE', 'a value belongs to one key: give a file that holds one');
  return { how: 'adopt', source: valueSource(valueFrom, session, region), ...(credentialId === undefined ? {} : { credentialId }) };
}

/** Every refused row with its place and its faults: what has to be put right before running it again. */
function refuse(session: Session, { rejected }: KeyFiles, message: string): number {
  session.failure(
    new Refused(
      'E_INPUT_INVALID',
      message,
      rejected.flatMap(({ problems }) => problems),
    ),
  );
  return exits.usage;
}

function document({ keys, rejected }: KeyFiles, added: readonly Added[]) {
  return { keys: keys.map(({ facts, source }) => ({ keyId: facts.id, source })), added, rejected };
}

function summary(added: readonly Added[]): string {
  if (added.length === 0) return 'No key was registered.';
  return table(
    ['KEY', 'OUTCOME', 'TIER', 'VERSION', 'NEXT'],
    added.map(({ keyId, outcome, tier, version, failure, nextDueAt }) => [
      keyId,
      outcome,
      tier ?? '-',
      version ?? '-',
      failure
        ? `${failure.code}: ${failure.message}`
        : version || nextDueAt
          ? `due ${nextDueAt ?? 'after its first version'}`
          : 'give it a version: --mint or --value-from',
    ]),
  );
}
