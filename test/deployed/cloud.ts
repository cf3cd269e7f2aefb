import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionListItem } from '@aws-sdk/client-sfn';
import type { Role } from '../../core/authority.ts';
import type { WorkflowName } from '../../core/ports.ts';
import type { KeyReport } from '../../core/show.ts';

import { run } from './child.ts';
import { type Clients, openClients } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { describeExecution, type ExecutionSeen, listExecutions } from './execution.ts';
import { type Principal, type PrincipalOptions, principals } from './principals.ts';
import { type Answer, type Credentials, signed } from './signed.ts';
import type { Stack } from './stack.ts';
import { type Subscription, subscribe } from './subscription.ts';
import type { AskedVendor, StageVendor } from './vendor.ts';

/** How a command of the command line ended. */
export interface CliAnswer {
  readonly code: number;
  /** The one JSON document it printed, or the one it failed with under `error`. */
  readonly json: Readonly<Record<string, unknown>> & { readonly error?: { readonly code: string; readonly message: string } };
  /** What it said around it. */
  readonly err: string;
}

/** What a journey gets: the deployed stack, reached as its users reach it. */
export interface Cloud {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  readonly endpoint: Endpoint;
  readonly stack: Stack;
  /** The sandbox vendor that the stack reaches over HTTPS; keys of it say `provider: sandbox`. */
  readonly vendor: AskedVendor;
  /** Address of the HTTP API, without a slash at its end. */
  readonly apiUrl: string;
  readonly table: string;
  readonly stateMachineArns: Readonly<Record<WorkflowName, string>>;
  /** Clients with the rights of whoever runs the tests. */
  readonly clients: Clients;
  /** A platform engineer, for what a journey needs but is not about. */
  readonly operator: Principal;
  /** A new IAM user `<stage>-<name>` that holds the managed policy of the role and nothing else. */
  principal(role: Role | 'nothing', options?: PrincipalOptions): Promise<Principal>;
  /** Runs `rekey --stage <stage> --json …` in a process of its own, in an empty folder, with the principal's credentials alone. */
  cli(args: readonly string[], options?: { readonly as?: Principal; readonly input?: string }): Promise<CliAnswer>;
  /** The same, and throws an Error with what was said unless it ends with 0. Returns the document. */
  rekey<T = Readonly<Record<string, unknown>>>(args: readonly string[], as?: Principal): Promise<T>;
  /** Registers the keys of a YAML text with `key add -f FILE`, and `--mint` unless other arguments are given; `input` comes by stdin. */
  addKey(yaml: string, args?: readonly string[], input?: string): Promise<void>;
  /** One key as `key show` tells it. */
  key(keyId: string): Promise<KeyReport>;
  /** A bare signed POST to the HTTP API: `receipts`, or where a request goes. */
  post(path: string, body: object, as: Principal): Promise<Answer>;
  /** A new queue `<stage>-<name>` that is subscribed as a service is, to notices and emergencies, or to the pages of people. */
  subscribe(name: string, filter?: Readonly<Record<string, readonly string[]>>, topic?: 'pages'): Promise<Subscription>;
  execution(executionArn: string): Promise<ExecutionSeen>;
  executions(workflow: WorkflowName): Promise<ExecutionListItem[]>;
}

/** How often a command is tried whose requests are not answered in time. */
const attempts = 3;

const cliProgram = join(import.meta.dirname, '..', '..', 'cli', 'rekey.mjs');

/** The cloud of a stack that is deployed, with the vendor's admin credential in its place. */
export async function openCloud(endpoint: Endpoint, stack: Stack, { vendor, admit }: StageVendor): Promise<Cloud> {
  const { stage, account, region } = stack;
  const clients = openClients();
  const { ApiUrl = '', TopicArn = '', EmergenciesTopicArn = '', PagesTopicArn = '', SecretPrefix = '' } = stack.outputs();
  await admit({ stage, secretPrefix: SecretPrefix, secretsManager: clients.secrets });
  const principal = principals({ iam: clients.iam, stage, account, slow: endpoint.name === 'aws' });
  const operator = await principal('operator');
  const machine = (workflow: WorkflowName) => `arn:aws:states:${region}:${account}:stateMachine:${stage}-rekey-${workflow}`;
  const stateMachineArns = { rotate: machine('rotate'), revoke: machine('revoke') };

  const cli: Cloud['cli'] = async (args, { as = operator, input = '' } = {}) => {
    const cwd = mkdtempSync(join(stack.folder, 'cli-'));
    for (let attempt = 1; ; attempt++) {
      const { code, out, err } = await run(process.execPath, [cliProgram, '--stage', stage, '--json', ...args], {
        cwd,
        env: environmentOf(as.credentials),
        input,
        limitSeconds: 600,
      });
      const json = parse(out) ?? parse(err.slice(err.indexOf('{'))) ?? {};
      // What was not answered in time is asked again, as its message tells people.
      if (json.error?.code !== 'E_UNREACHABLE' || attempt === attempts) return { code, json, err };
    }
  };
  const rekey = async <T>(args: readonly string[], as = operator, input = ''): Promise<T> => {
    const { code, json, err } = await cli(args, { as, input });
    if (code !== 0)
      throw new Error(`rekey ${args.join(' ')} ended with ${code}: ${json.error ? JSON.stringify(json.error) : err.slice(-500)}`);
    return json as T;
  };
  return {
    ...{ stage, account, region, endpoint, stack, vendor, clients, operator, stateMachineArns, principal, cli, rekey },
    apiUrl: ApiUrl.replace(/\/$/, ''),
    table: `${stage}-rekey-inventory`,
    async addKey(yaml, args = ['--mint'], input = '') {
      const file = join(mkdtempSync(join(stack.folder, 'key-')), 'key.yaml');
      writeFileSync(file, yaml);
      await rekey(['key', 'add', '-f', file, ...args], operator, input);
    },
    key: (keyId) => rekey<KeyReport>(['key', 'show', keyId]),
    post: (path, body, as) =>
      signed({
        service: 'execute-api',
        url: `${ApiUrl.replace(/\/$/, '')}/${path}`,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
        as: as.credentials,
      }),
    subscribe: (name, filter, topic) =>
      subscribe({
        ...{ sqs: clients.sqs, sns: clients.sns, name: `${stage}-${name}`, ...(filter ? { filter } : {}) },
        topicArns: topic ? [PagesTopicArn] : [TopicArn, EmergenciesTopicArn],
      }),
    execution: (arn) => describeExecution(clients.sfn, arn),
    executions: (workflow) => listExecutions(clients.sfn, stateMachineArns[workflow]),
  };
}

/** The environment of somebody who has these credentials and no others. */
function environmentOf({ accessKeyId, secretAccessKey }: Credentials): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, AWS_REGION, AWS_ENDPOINT_URL, NODE_EXTRA_CA_CERTS } = process.env;
  return {
    ...{ PATH, HOME, TMPDIR, AWS_REGION, AWS_ENDPOINT_URL, NODE_EXTRA_CA_CERTS, NO_COLOR: '1' },
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

function parse(text: string): CliAnswer['json'] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
