import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { dynamoInventory } from '../adapters/aws/inventory.ts';
import { everyChannel } from '../adapters/channels/every-channel.ts';
import { logChannel } from '../adapters/channels/log.ts';
import { pagerDutyChannel } from '../adapters/channels/pagerduty.ts';
import { slackChannel } from '../adapters/channels/slack.ts';
import { systemClock } from '../adapters/clock.ts';
import { localFileDestination } from '../adapters/destinations/local-file.ts';
import { destinations } from '../adapters/destinations/registry.ts';
import { secretsManagerDestination } from '../adapters/destinations/secrets-manager.ts';
import { ssmParameterDestination } from '../adapters/destinations/ssm-parameter.ts';
import { masterKey } from '../adapters/file/master-key.ts';
import { fileSeals } from '../adapters/file/seals.ts';
import { fileSecretStore } from '../adapters/file/secret-store.ts';
import { fingerprintWith } from '../adapters/fingerprint.ts';
import { apiGatewayProvider } from '../adapters/providers/aws-api-gateway.ts';
import { iamProvider } from '../adapters/providers/aws-iam.ts';
import { providers } from '../adapters/providers/registry.ts';
import { randomId } from '../adapters/random-id.ts';
import { redactingLog } from '../core/leak-shapes.ts';
import type { Ports, WorkflowName } from '../core/ports.ts';
import { steps } from '../workflows/steps.ts';
import { fileAdminCredentials } from './admin-credentials.ts';
import type { LocalDynamo } from './dynamodb.ts';
import { type LocalExecutions, localExecutions } from './executions.ts';
import { type Feed, openFeed } from './feed.ts';
import { fileLog } from './file-log.ts';
import { localFiles } from './files.ts';
import type { LocalInstallation } from './installation.ts';
import { sandboxDurations, sandboxOrigin } from './settings.ts';
import { fileTextSecrets } from './text-secrets.ts';

/** What one process and its engine take well: many revocations at once wait for a turn, and not for an answer that comes too late. */
const attemptsAtOnce = 16;

/** The inventory's table in the embedded engine. */
export const localTable = 'rekey';

export interface LocalOptions {
  /** Where everything is kept. */
  readonly folder: string;
  /** Where relative paths of `local-file` destinations start. */
  readonly workspace: string;
  readonly installation: LocalInstallation;
  readonly dynamo: Pick<LocalDynamo, 'client'>;
  /** Where the sandbox vendor listens, when there is one. */
  readonly sandboxUrl?: string;
}

export interface LocalParts {
  readonly ports: Ports;
  readonly executions: LocalExecutions;
  readonly feed: Feed;
}

/** The composition root of local mode: the only place beside functions/compose.ts that builds adapters. */
export async function composeLocal({ folder, workspace, installation, dynamo, sandboxUrl }: LocalOptions): Promise<LocalParts> {
  const { settings, policy, specs } = installation;
  const { callSeconds } = settings;
  const files = localFiles(folder);
  const log = redactingLog(
    fileLog(files.log),
    specs.map(({ metadata }) => metadata),
  );
  const pepper = await masterKey(files.pepper, files.secrets);
  const feed = await openFeed({ path: files.notices, stage: settings.stage });
  const aws = awsIsConfigured();
  const executions = localExecutions({
    steps,
    definitions: { rotate: workflow('rotate'), revoke: workflow('revoke') },
    functionSeconds: settings.functionSeconds,
    atOnce: attemptsAtOnce,
    randomId,
    run: (step, payload, attemptId) => step.run(ports, payload, attemptId),
    onEvent: ({ kind, ...fields }) => log.info(`execution: ${kind}`, fields),
  });
  const people = { secretOf: fileTextSecrets(files.channels), stage: settings.stage, callSeconds };
  const ports: Ports = {
    inventory: dynamoInventory({ client: dynamo.client, table: localTable, callSeconds }),
    secrets: fileSecretStore({ dir: files.secrets, masterKeyFile: files.masterKey, callSeconds }),
    ...providers({
      specs,
      native: aws
        ? [
            iamProvider({ client: new IAMClient({ ...aws, maxAttempts: 1 }), sts: aws, callSeconds }),
            apiGatewayProvider({
              client: new APIGatewayClient({ ...aws, maxAttempts: 1 }),
              ...{ region: aws.region, stage: settings.stage, callSeconds },
            }),
          ]
        : [],
      admin: fileAdminCredentials(files.admin),
      callSeconds,
      allowLoopback: true,
      ...(sandboxUrl ? { overrides: { sandbox: { origins: { [sandboxOrigin]: sandboxUrl }, durations: sandboxDurations } } } : {}),
      log,
    }),
    destination: destinations([
      localFileDestination({ baseDir: workspace, callSeconds }),
      ...(aws
        ? [
            secretsManagerDestination({ client: new SecretsManagerClient(aws), callSeconds }),
            ssmParameterDestination({ client: new SSMClient(aws), callSeconds }),
          ]
        : []),
    ]),
    notifier: feed,
    pager: everyChannel({ log: logChannel(log), pagerduty: pagerDutyChannel(people), slack: slackChannel(people) }),
    executions,
    seals: fileSeals({ dir: files.seals, keyFile: files.sealKey }),
    clock: systemClock,
    randomId,
    fingerprint: fingerprintWith(async () => pepper),
    log,
    settings,
    // The file may change while this runs.
    get policy() {
      return policy.current();
    },
  };
  return { ports, executions, feed };
}

/** The region, when this machine is set up for AWS or for something that speaks its API; its providers and destinations are there only then. */
function awsIsConfigured(): { readonly region: string } | undefined {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, AWS_PROFILE, AWS_ACCESS_KEY_ID } = process.env;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION;
  return region && (AWS_ENDPOINT_URL || AWS_PROFILE || AWS_ACCESS_KEY_ID) ? { region } : undefined;
}

function workflow(name: WorkflowName): object {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', 'workflows', `${name}.asl.json`), 'utf8'));
}
