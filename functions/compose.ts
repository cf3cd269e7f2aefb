import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { stepFunctionsExecutions } from '../adapters/aws/executions.ts';
import { dynamoInventory } from '../adapters/aws/inventory.ts';
import { snsNotifier } from '../adapters/aws/notifier.ts';
import { snsPager } from '../adapters/aws/pager.ts';
import { secretsManagerStore } from '../adapters/aws/secret-store.ts';
import { everyChannel } from '../adapters/channels/every-channel.ts';
import { pagerDutyChannel } from '../adapters/channels/pagerduty.ts';
import { slackChannel } from '../adapters/channels/slack.ts';
import { systemClock } from '../adapters/clock.ts';
import { destinations as installed } from '../adapters/destinations/registry.ts';
import { secretsManagerDestination } from '../adapters/destinations/secrets-manager.ts';
import { ssmParameterDestination } from '../adapters/destinations/ssm-parameter.ts';
import { fingerprintWith } from '../adapters/fingerprint.ts';
import { powertoolsLog } from '../adapters/powertools-log.ts';
import { apiGatewayProvider } from '../adapters/providers/aws-api-gateway.ts';
import { iamProvider } from '../adapters/providers/aws-iam.ts';
import { providers as registry } from '../adapters/providers/registry.ts';
import { randomId } from '../adapters/random-id.ts';
import { Refused } from '../core/errors.ts';
import { redactingLog } from '../core/leak-shapes.ts';
import type { Ports } from '../core/ports.ts';
import type { SecretOf } from '../requests/senders/sender.ts';
import { environment } from '../workflows/environment.ts';
import { adminCredentials, readPepper, textSecrets } from './deployed-secrets.ts';
import { deployedInstallation, type Installation } from './installation.ts';
import { secretNames } from './secret-names.ts';

/** What every part is built from. */
interface Ground extends Installation {
  readonly callSeconds: number;
  readonly region: string;
  /** One of the variables that infra wrote, by its name in workflows/environment.ts. */
  variable(name: keyof typeof environment): string;
}

/** A part of the outside: the ports that one right of the step table is about. What an entry does not name is not in its bundle. */
export type Part = (ground: Ground) => Partial<Ports>;

/**
 * The composition root of every Lambda function. The ports are built by the first call and kept as long as the execution
 * environment lives; a port whose part the entry did not name throws Refused E_FORBIDDEN when it is used.
 */
export function compose(...parts: readonly Part[]): () => Ports {
  let kept: Ports | undefined;
  return () => {
    kept ??= build(parts);
    return kept;
  };
}

function build(parts: readonly Part[]): Ports {
  const installation = deployedInstallation();
  const { settings, policy, specs } = installation;
  const { callSeconds } = settings;
  const ground: Ground = { ...installation, callSeconds, region: process.env.AWS_REGION ?? '', variable };
  return {
    inventory: dynamoInventory({ client: {}, table: variable('table'), callSeconds }),
    secrets: absent('secrets'),
    provider: refuse('provider'),
    providers: refuse('providers'),
    destination: refuse('destination'),
    notifier: absent('notifier'),
    pager: absent('pager'),
    executions: absent('executions'),
    seals: unsealed,
    fingerprint: refuse('fingerprint'),
    ...Object.assign({}, ...parts.map((part) => part(ground))),
    clock: systemClock,
    randomId,
    log: redactingLog(
      powertoolsLog(settings.stage),
      specs.map(({ metadata }) => metadata),
    ),
    settings,
    policy,
  };
}

/** Values of keys, in Secrets Manager. */
export const secrets: Part = ({ variable, callSeconds, settings }) => ({
  secrets: secretsManagerStore({
    client: secretsManager(),
    prefix: secretNames.keys(variable('prefix')),
    callSeconds,
    kmsKeyId: secretNames.encryptionAlias(settings.stage),
  }),
});

/** Fingerprints under the installation's pepper, which is read once. */
export const fingerprints: Part = ({ variable, callSeconds }) => ({
  fingerprint: fingerprintWith(() => readPepper({ client: secretsManager(), prefix: variable('prefix'), callSeconds })),
});

/** IAM, and API Gateway where it was asked for, beside one provider for each spec of the installation. */
export const providers: Part = ({ specs, privateHosts, authorities, apiGateway, variable, callSeconds, region, settings: { stage } }) =>
  registry({
    specs,
    privateHosts,
    ...(authorities === undefined ? {} : { authorities }),
    // A create that the SDK repeats by itself leaves a credential that nobody knows.
    native: [
      iamProvider({ client: new IAMClient({ maxAttempts: 1 }), sts: { region }, callSeconds }),
      ...(apiGateway ? [apiGatewayProvider({ client: new APIGatewayClient({ maxAttempts: 1 }), region, stage, callSeconds })] : []),
    ],
    admin: adminCredentials({ client: secretsManager(), prefix: variable('prefix'), callSeconds }),
    callSeconds,
  });

/** Places in this account that a value can be delivered to. */
export const destinations: Part = ({ callSeconds }) => ({
  destination: installed([
    secretsManagerDestination({ client: secretsManager(), callSeconds }),
    ssmParameterDestination({ client: new SSMClient({}), callSeconds }),
  ]),
});

/** Notices to services, emergencies among them, and pages to people: a topic each. */
export const notices: Part = ({ variable, callSeconds, settings: { stage } }) => {
  const client = new SNSClient({});
  return {
    notifier: snsNotifier({
      client,
      topics: { notices: variable('topic'), emergencies: variable('emergencies') },
      stage,
      callSeconds,
    }),
    pager: snsPager({ client, topicArn: variable('pages'), stage, callSeconds }),
  };
};

/** People's own channels behind the topic of pages: each where its secret is there. */
export const channels: Part = ({ variable, callSeconds, settings: { stage } }) => {
  const secretOf = textSecrets({ client: secretsManager(), prefix: variable('prefix'), callSeconds }, 'channel');
  const options = { secretOf, stage, callSeconds };
  return { pager: everyChannel({ pagerduty: pagerDutyChannel(options), slack: slackChannel(options) }) };
};

/** Executions of the two state machines. */
export const executions: Part = ({ variable, callSeconds }) => ({
  executions: stepFunctionsExecutions({
    client: new SFNClient({}),
    stateMachineArns: { rotate: variable('rotateWorkflow'), revoke: variable('revokeWorkflow') },
    callSeconds,
  }),
});

/** The secrets of senders of reports, for the one function that checks their signatures. */
export function deployedSenders(): SecretOf {
  const { settings } = deployedInstallation();
  let secretOf: SecretOf | undefined;
  return (sender) => {
    secretOf ??= textSecrets({ client: secretsManager(), prefix: variable('prefix'), callSeconds: settings.callSeconds }, 'sender');
    return secretOf(sender);
  };
}

function variable(name: keyof typeof environment): string {
  const value = process.env[environment[name]];
  if (!value) throw new Refused('E_INPUT_INVALID', `the environment variable ${environment[name]} is not set`);
  return value;
}

let client: SecretsManagerClient | undefined;
function secretsManager(): SecretsManagerClient {
  client ??= new SecretsManagerClient({});
  return client;
}

/** A stage keeps no seals yet: its chains hold in themselves, and `rekey audit verify` and evidence say that nothing seals them. */
const unsealed: Ports['seals'] = {
  sign: async () => refuse('seals')(),
  keep: async () => refuse('seals')(),
  publicKey: async () => '',
  read: async () => undefined,
  last: async () => 0,
};

/** Stands where a port would be that this function has no right to: any use of it is refused. */
function absent(port: string): never {
  return new Proxy({}, { get: refuse(port) }) as never;
}

function refuse(port: string): () => never {
  return () => {
    throw new Refused('E_FORBIDDEN', `this function has no right to ${port}`);
  };
}
