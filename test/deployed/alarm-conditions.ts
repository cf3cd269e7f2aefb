import { randomUUID } from 'node:crypto';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, GetQueueUrlCommand, PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { stringify } from 'yaml';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { outboxItem, outboxKey, putItem } from '../../core/items.ts';
import type { Notice } from '../../core/notice.ts';
import { senderBudget } from '../../core/reports/budget.ts';
import type { KeyReport } from '../../core/show.ts';
import { secretNames } from '../../functions/secret-names.ts';
import { pathOf } from '../../requests/routes.ts';
import type { Capability } from './capabilities.ts';
import type { Cloud } from './cloud.ts';
import { active, ask, ended, must, rotated, secretValue } from './record.ts';
import { invokeAndGoOn } from './signed.ts';
import { until } from './until.ts';

/** What is done about one alarm. */
export interface Condition {
  readonly condition: string;
  /** Beyond what the journey needs. */
  readonly needs?: readonly Capability[];
  /** The function whose own log lines measure it. Without: AWS counts by itself, and `cause` returns once the condition was seen. */
  readonly logs?: string;
  /** Makes it so; returns what puts it right again. Without: nothing is wrong, and the metric is there all the same. */
  readonly cause?: (cloud: Cloud) => Promise<() => Promise<unknown>>;
  /** Whether it is bad enough within the minutes that this takes. */
  readonly fires: boolean;
}

/** By the name of the alarm. What is in neither list makes the journey fail. */
export const conditions: Readonly<Record<string, Condition>> = {
  'rotation-rolled-back': {
    logs: 'step-rollback',
    condition: 'a key whose provider account has no admin credential is minted',
    cause: (cloud) => refusedKey(cloud, 'rolled-back'),
    fires: true,
  },
  'keys-not-reconciled': {
    logs: 'reconcile',
    condition: 'a key whose provider account has no admin credential is looked at',
    cause: (cloud) => refusedKey(cloud, 'not-reconciled'),
    fires: true,
  },
  'notices-waiting': {
    logs: 'reconcile',
    condition: 'a notice that the topic refuses for its size was committed an hour ago',
    cause: refusedNotice,
    fires: true,
  },
  'consumer-silent': {
    logs: 'reconcile',
    condition: 'a consumer never proves that it moved, until the overlap is at its cap',
    needs: ['vendor'],
    cause: silentConsumer,
    fires: true,
  },
  'reports-waiting': {
    logs: 'report',
    condition: 'a scanner that has used up its budget reports a value',
    needs: ['vendor'],
    cause: reportBeyondBudget,
    fires: true,
  },
  'revocation-not-contained': {
    logs: 'reconcile',
    condition: 'a key is revoked while its admin credential is refused; the target of fifteen minutes is not waited for',
    needs: ['vendor'],
    cause: refusedRevocation,
    fires: false,
  },
  'reconciler-stopped': { logs: 'reconcile', condition: 'the reconciler runs', fires: false },
  'sweeps-stopped': { logs: 'sweep', condition: 'the sweeps run', fires: false },
  'key-overdue': { logs: 'sweep', condition: 'no key is overdue', fires: false },
  'revocation-failed': {
    condition: 'the revoking workflow is started for a key that there is not, and fails',
    cause: failedRevocation,
    fires: true,
  },
  'doors-failing': { condition: 'a request to take a key over ends in an error that nobody expected', cause: failingDoor, fires: true },
  'firings-undelivered': {
    condition: 'the sweep is fired without a tier, fails, and the firing is a dead letter',
    cause: deadLetter,
    fires: true,
  },
};

/** What is not done here, and why; virtual time shows it (test/infra/alarms.test.ts). */
export const left: Readonly<Record<string, string>> = {
  'operation-stuck': 'an execution would have to be dropped twice, which takes longer than all journeys together',
};

/** A key of the sandbox vendor, as YAML; `account` names the admin credential. */
function keyOf(name: string, { stage }: Cloud, more: object = {}): string {
  return stringify({
    ...{ apiVersion: 'rekey/v1', kind: 'Key', id: `alarms/${name}`, owner: 'team-alarms', environment: 'staging', exposure: 'internal' },
    ...{ purpose: 'makes an alarm ring', provider: 'sandbox', params: { principal: `${stage}-alarms-${name}` }, store: 'rekey' },
    ...{ exclusive: true, expires: 'never', consumers: [] },
    destinations: [{ id: 'app', kind: 'secrets-manager', at: `${stage}/alarms-${name}` }],
    ...more,
  });
}

async function addKey(cloud: Cloud, name: string, more: object = {}, args?: readonly string[]): Promise<string> {
  await cloud.clients.secrets.send(new CreateSecretCommand({ Name: `${cloud.stage}/alarms-${name}` }));
  await cloud.addKey(keyOf(name, cloud, more), args);
  return `alarms/${name}`;
}

const nothing = async (): Promise<void> => undefined;

/** Nobody can put it right but by a credential that there never was: it goes with the stage. */
async function refusedKey(cloud: Cloud, name: string): Promise<() => Promise<void>> {
  await addKey(cloud, name, { account: 'nobody' });
  return nothing;
}

/** Straight into the table: no door makes a notice that is too long. */
async function refusedNotice(cloud: Cloud): Promise<() => Promise<unknown>> {
  const keyId = await addKey(cloud, 'untold', { account: 'nobody' });
  const inventory = dynamoInventory({ client: {}, table: cloud.table, callSeconds: 30 });
  const notice: Notice = {
    ...{ id: randomUUID(), keyId, time: new Date(Date.now() - 3_600_000).toISOString(), operationId: 'none', type: 'key.attention' },
    ...{ audience: '*', severity: 'info', environment: 'staging', tier: 'medium' },
    data: { action: 'none', reason: 'x'.repeat(300_000) },
  };
  await inventory.write([putItem(outboxItem(notice))]);
  return () => inventory.write([{ do: 'delete', key: outboxKey(notice) }]);
}

/** Its tier lets nobody speak for the consumer, and its overlap is short. It waits until the stage is taken away. */
async function silentConsumer(cloud: Cloud): Promise<() => Promise<void>> {
  const consumers = [{ name: 'silent', owner: 'team-alarms', contact: 'alarms@example.com', refresh: 'PT2S' }];
  const keyId = await addKey(cloud, 'silent', { environment: 'production', consumers });
  await active(cloud, keyId, 60);
  await rotated(cloud, keyId);
  return nothing;
}

/** The budget is used up by hand: using it up takes as many keys as there are in all other journeys together. */
async function reportBeyondBudget(cloud: Cloud): Promise<() => Promise<void>> {
  const keyId = await addKey(cloud, 'reported');
  await active(cloud, keyId, 60);
  const inventory = dynamoInventory({ client: {}, table: cloud.table, callSeconds: 30 });
  const used = { pk: 'SENDER#gitleaks', sk: 'BUDGET', since: new Date().toISOString(), used: senderBudget.keys };
  await inventory.write([putItem(used)]);
  const leaked = await secretValue(cloud, `${cloud.stage}/alarms-reported`);
  const finding = {
    id: 'a'.repeat(64),
    leaked,
    rule: 'generic-api-key',
    says: 'a key of the sandbox vendor',
    evidence: 'config.yaml:3',
    at: 'config.yaml',
    verified: false,
  };
  const answer = await ask(cloud, 'report.findings', { scanner: 'gitleaks', findings: [finding] });
  must(JSON.stringify(answer).includes('queued'), `the report is queued (${JSON.stringify(answer).slice(0, 200)})`);
  return nothing;
}

/** The admin credential of an account of its own stops working, and then the key is revoked. */
async function refusedRevocation(cloud: Cloud): Promise<() => Promise<unknown>> {
  const { SecretPrefix = '' } = cloud.stack.outputs();
  const SecretId = secretNames.admin(SecretPrefix, 'incidents', 'alarms');
  const good = JSON.stringify({ apiKey: cloud.vendor.adminKey.reveal() });
  const { secrets } = cloud.clients;
  await secrets.send(new CreateSecretCommand({ Name: SecretId, KmsKeyId: secretNames.encryptionAlias(cloud.stage), SecretString: good }));
  const keyId = await addKey(cloud, 'revoked', { provider: 'incidents', account: 'alarms' });
  await active(cloud, keyId, 60);
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ apiKey: 'no longer' }) }));
  const as = await cloud.principal('responder', { name: 'alarms' });
  await cloud.cli(['revoke', keyId, '--confirm', keyId, '--reason', 'an alarm', '--source', 'log', '--no-wait'], { as });
  const { state } = await ask<KeyReport>(cloud, 'key.show', { keyId });
  must(state === 'revoking', `the key is being revoked (${state})`);
  return () => secrets.send(new PutSecretValueCommand({ SecretId, SecretString: good }));
}

async function failedRevocation(cloud: Cloud): Promise<() => Promise<void>> {
  const input = JSON.stringify({ keyId: 'alarms/nobody-knows-it' });
  const { executionArn = '' } = await cloud.clients.sfn.send(
    new StartExecutionCommand({ stateMachineArn: cloud.stateMachineArns.revoke, input }),
  );
  const { status, error } = await ended(cloud, executionArn, 120);
  must(status === 'FAILED', `the execution failed (${status}, ${error})`);
  return nothing;
}

/** Its value is in the store already, and the provider cannot be asked. */
async function failingDoor(cloud: Cloud): Promise<() => Promise<void>> {
  const keyId = await addKey(cloud, 'failing', { account: 'nobody' }, []);
  const token = randomUUID();
  const SecretId = secretNames.keys(cloud.stack.outputs()['SecretPrefix'] ?? '') + keyId;
  const { secrets, stage } = { secrets: cloud.clients.secrets, stage: cloud.stage };
  const KmsKeyId = secretNames.encryptionAlias(stage);
  await secrets.send(new CreateSecretCommand({ Name: SecretId, KmsKeyId, ClientRequestToken: token, SecretString: 'made by hand' }));
  const { status, text } = await cloud.post(pathOf('key.adopt', 'create'), { keyId, token }, cloud.operator);
  must(status >= 500, `the door fails (${status} ${text.slice(0, 200)})`);
  return nothing;
}

async function deadLetter({ clients, stage }: Cloud): Promise<() => Promise<unknown>> {
  const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: `${stage}-rekey-undelivered` }));
  await invokeAndGoOn(`${stage}-rekey-sweep`, '{}');
  const letters = async () => {
    const AttributeNames = ['ApproximateNumberOfMessages' as const];
    const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Number(Attributes?.['ApproximateNumberOfMessages']) > 0;
  };
  await until('a dead letter', letters, 180, 3);
  return () => clients.sqs.send(new PurgeQueueCommand({ QueueUrl }));
}
