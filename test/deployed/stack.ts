import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CannotRun } from './cannot-run.ts';
import { run } from './child.ts';
import type { Endpoint } from './endpoint.ts';
import { reachableUrl } from './reachable.ts';
import { cloudFormation } from './signed.ts';
import type { StageVendor } from './vendor.ts';

const root = join(import.meta.dirname, '..', '..');
const cdkProgram = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** The product's own app, deployed under a stage of its own. */
export interface Stack {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  /** Where `rekey.<stage>.json` is: what the command line needs. Removed at the end. */
  readonly folder: string;
  /** The installation as it will be deployed next: settings.yaml, policy.yaml, providers/. */
  readonly installation: string;
  /** Deploys the app as it is now, with what the context says. Throws CannotRun E_DEPLOY with the last lines of the CDK. */
  deploy(context?: Readonly<Record<string, string>>): Promise<void>;
  outputs(): Readonly<Record<string, string>>;
  /** Everything that CloudFormation ever made for it, by its name in AWS: also what it has forgotten and retains. */
  resources(): Promise<StackResource[]>;
  /** Destroys it, when it stands; what it retains stays. */
  destroy(): Promise<void>;
}

export interface StackResource {
  /** Such as `AWS::KMS::Key`. */
  readonly type: string;
  readonly id: string;
}

/** Prepares a stage: an account that the CDK can deploy to, and an installation with short durations and the vendor. Throws CannotRun. */
export async function prepareStack(endpoint: Endpoint, stage: string, vendor: StageVendor): Promise<Stack> {
  const { Account: account = '' } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  const region = process.env['AWS_REGION']!;
  const folder = mkdtempSync(join(tmpdir(), `rekey-deployed-${stage}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const installation = join(folder, 'installation');
  cpSync(join(import.meta.dirname, 'installation'), installation, { recursive: true });
  appendFileSync(join(installation, 'settings.yaml'), `privateHosts: ${JSON.stringify(vendor.privateHosts)}\n`);
  for (const [path, text] of Object.entries(vendor.files)) {
    mkdirSync(dirname(join(installation, path)), { recursive: true });
    writeFileSync(join(installation, path), text);
  }
  await bootstrap(endpoint, account, region);
  const outputsFile = join(folder, `rekey.${stage}.json`);
  const app = ['-c', `stage=${stage}`, '-c', `installation=${installation}`, '--output', join(folder, 'cdk.out')];
  let standing = false;
  const made = new Map<string, StackResource>();
  const look = async () => {
    if (standing) for (const resource of await resourcesOf(`${stage}-rekey`)) made.set(resource.id, resource);
  };
  return {
    stage,
    account,
    region,
    folder,
    installation,
    async deploy(context = {}) {
      standing = true;
      const said = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      await cdk(['deploy', ...app, ...said, '--require-approval', 'never', '--outputs-file', outputsFile]);
      const text = readFileSync(outputsFile, 'utf8');
      writeFileSync(
        outputsFile,
        text.replace(/https?:\/\/[a-z0-9]+\.execute-api\.[^"]+/g, (url) => reachableUrl(url)),
      );
      await look();
    },
    outputs: () => Object.values(JSON.parse(readFileSync(outputsFile, 'utf8')) as Record<string, Record<string, string>>)[0] ?? {},
    async resources() {
      await look();
      return [...made.values()];
    },
    async destroy() {
      await look();
      if (standing) await cdk(['destroy', ...app, '--force']);
      standing = false;
    },
  };
}

/** An emulator of our own is bare; an account of somebody's is not ours to set up. */
async function bootstrap({ name }: Endpoint, account: string, region: string): Promise<void> {
  try {
    await new SSMClient({}).send(new GetParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }));
  } catch {
    const command = `npx cdk bootstrap aws://${account}/${region}`;
    if (name === 'aws') throw new CannotRun('E_NOT_BOOTSTRAPPED', `the CDK cannot deploy to this account yet; once: ${command}`);
    await cdk(['bootstrap', `aws://${account}/${region}`]);
  }
}

async function cdk(args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter), NO_COLOR: '1' };
  const more = ['--ci', '--no-notices', '--no-version-reporting'];
  const { code, out, err } = await run(process.execPath, [cdkProgram, ...args, ...more], { cwd: root, env, limitSeconds: 900 });
  if (code === 0) return;
  const last = `${out}\n${err}`.trim().split('\n').slice(-25).join('\n');
  throw new CannotRun('E_DEPLOY', `"cdk ${args[0]}" ended with ${code}. It printed last:\n${last}`);
}

async function resourcesOf(stackName: string): Promise<StackResource[]> {
  const found: StackResource[] = [];
  let next: string | undefined;
  do {
    const page = await cloudFormation('ListStackResources', { StackName: stackName, ...(next ? { NextToken: next } : {}) });
    for (const [, member = ''] of page.matchAll(/<member>([\s\S]*?)<\/member>/g)) {
      const field = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(member)?.[1] ?? '';
      found.push({ type: field('ResourceType'), id: field('PhysicalResourceId') });
    }
    next = /<NextToken>([^<]+)</.exec(page)?.[1];
  } while (next);
  return found;
}
