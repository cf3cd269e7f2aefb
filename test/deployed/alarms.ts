import { DescribeAlarmsCommand, type MetricAlarm, PutMetricDataCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { stringify } from 'yaml';
import { metricNamespace } from '../../core/metric.ts';
import { secretNames } from '../../functions/secret-names.ts';
import { type AlarmProperties, type Datapoint, extracted, isWatched } from '../support/cloudwatch.ts';
import type { Cloud } from './cloud.ts';
import { until } from './until.ts';

/**
 * How an alarm of the deployed stack was shown. `fired`: the condition was there, a function's own log line measured it, and the alarm
 * was in ALARM. `metric shown`: a function's own log line holds the metric that the alarm watches, and it did not breach.
 */
export interface AlarmCheck {
  readonly alarm: string;
  readonly observed: string;
  readonly how: 'fired' | 'metric shown' | 'not run';
}

interface Condition {
  /** Which function measures it. */
  readonly logs: string;
  readonly condition: string;
  /** Makes it so; returns what puts it right again. Without: nothing is wrong, and the metric is there all the same. */
  readonly cause?: (cloud: Cloud) => Promise<() => Promise<void>>;
  /** Whether it is bad enough within the minutes that this takes. */
  readonly fires: boolean;
}

/** What is done here about each alarm; the others are not run, and why is said. */
const conditions: Readonly<Record<string, Condition>> = {
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
  'consumer-silent': {
    logs: 'reconcile',
    condition: 'a consumer never proves that it moved, until the overlap is at its cap',
    cause: silentConsumer,
    fires: true,
  },
  'revocation-not-contained': {
    logs: 'reconcile',
    condition: 'a key is revoked while its admin credential is refused; the target of fifteen minutes is not waited for',
    cause: refusedRevocation,
    fires: false,
  },
  'reconciler-stopped': { logs: 'reconcile', condition: 'the reconciler runs', fires: false },
  'sweeps-stopped': { logs: 'sweep', condition: 'the sweeps run', fires: false },
  'key-overdue': { logs: 'sweep', condition: 'no key is overdue', fires: false },
};

const left: Readonly<Record<string, string>> = {
  'operation-stuck': 'its executions would have to be dropped twice, which takes longer than all journeys together',
  'notices-waiting': 'the topic would have to refuse what the other journeys wait for',
  'revocation-failed': 'counted by Step Functions itself',
  'doors-failing': 'counted by API Gateway itself',
  'firings-undelivered': 'counted by SQS itself',
};

/**
 * Shows the alarms of the stage one by one, side by side. At an endpoint that makes no metrics of log lines, the datapoint that a function's
 * own line stands for is put, as it is, in CloudWatch's place. Throws when a condition comes to pass and its alarm does not notice.
 */
export async function alarmChecks(cloud: Cloud): Promise<AlarmCheck[]> {
  const { stage, clients } = cloud;
  const { MetricAlarms = [] } = await clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${stage}-rekey-` }));
  return Promise.all(
    MetricAlarms.map(async (alarm): Promise<AlarmCheck> => {
      const name = (alarm.AlarmName ?? '').slice(`${stage}-rekey-`.length);
      const condition = conditions[name];
      if (condition) return check(cloud, name, alarm, condition);
      return { alarm: name, how: 'not run', observed: left[name] ?? 'nobody said how' };
    }),
  );
}

async function check(
  cloud: Cloud,
  alarm: string,
  described: MetricAlarm,
  { logs, condition, cause, fires }: Condition,
): Promise<AlarmCheck> {
  const since = Date.now();
  const properties = propertiesOf(described);
  const putRight = await cause?.(cloud);
  const breaches = ({ value }: Datapoint) => !fires || value >= properties.Threshold;
  const found = await until(
    `a line of ${logs} that ${alarm} watches`,
    async () => (await measuredBy(cloud, logs, properties, since)).find(breaches),
    300,
    5,
  );
  const seen = `${condition}: ${logs} measured ${found.name} ${found.value}`;
  if (cloud.endpoint.name !== 'aws') await put(cloud, found);
  if (fires) await until(`${alarm} rings`, async () => (await stateOf(cloud, described)) === 'ALARM', 420, 5);
  else if ((await stateOf(cloud, described)) === 'ALARM') throw new Error(`${alarm} rings though nothing is wrong: ${seen}`);
  await putRight?.();
  if (!fires) return { alarm, how: 'metric shown', observed: seen };
  const reset = { AlarmName: described.AlarmName, StateValue: 'OK' as const, StateReason: 'seen to ring' };
  await cloud.clients.cloudwatch.send(new SetAlarmStateCommand(reset));
  const by = cloud.endpoint.name === 'aws' ? '' : ', its datapoint was put by hand';
  return { alarm, how: 'fired', observed: `${seen}${by}, and it rang` };
}

/** The datapoints that an alarm watches, as the lines of a function stand for them. */
async function measuredBy({ stage, clients }: Cloud, logs: string, alarm: AlarmProperties, since: number): Promise<Datapoint[]> {
  const logGroupName = `/aws/lambda/${stage}-rekey-${logs}`;
  const lines: string[] = [];
  let nextToken: string | undefined;
  do {
    const request = { logGroupName, startTime: since, filterPattern: `"${alarm.MetricName}"`, ...(nextToken ? { nextToken } : {}) };
    const page = await clients.logs.send(new FilterLogEventsCommand(request));
    lines.push(...(page.events ?? []).map(({ message = '' }) => message.trim()));
    nextToken = page.nextToken;
  } while (nextToken);
  return extracted(lines).filter((datapoint) => isWatched(alarm, datapoint));
}

async function put({ clients }: Cloud, { namespace, name, dimensions, value }: Datapoint): Promise<void> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const MetricData = [{ MetricName: name, Dimensions, Value: value, Timestamp: new Date() }];
  await clients.cloudwatch.send(new PutMetricDataCommand({ Namespace: namespace, MetricData }));
}

async function stateOf({ clients }: Cloud, { AlarmName = '' }: MetricAlarm): Promise<string | undefined> {
  const { MetricAlarms } = await clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
  return MetricAlarms?.[0]?.StateValue;
}

function propertiesOf(alarm: MetricAlarm): AlarmProperties {
  if (alarm.Namespace !== metricNamespace) throw new Error(`${alarm.AlarmName} does not watch a metric of ours`);
  return alarm as unknown as AlarmProperties;
}

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

async function addKey(cloud: Cloud, name: string, more: object = {}): Promise<string> {
  await cloud.clients.secrets.send(new CreateSecretCommand({ Name: `${cloud.stage}/alarms-${name}` }));
  await cloud.addKey(keyOf(name, cloud, more));
  return `alarms/${name}`;
}

const nothing = async (): Promise<void> => undefined;

/** Nobody can put it right but by a credential that there never was: it goes with the stage. */
async function refusedKey(cloud: Cloud, name: string): Promise<() => Promise<void>> {
  await addKey(cloud, name, { account: 'nobody' });
  return nothing;
}

/** Its tier lets nobody speak for the consumer, and its overlap is short. It waits until the stage is taken away. */
async function silentConsumer(cloud: Cloud): Promise<() => Promise<void>> {
  const consumers = [{ name: 'silent', owner: 'team-alarms', contact: 'alarms@example.com', refresh: 'PT2S' }];
  const keyId = await addKey(cloud, 'silent', { environment: 'production', consumers });
  await isActive(cloud, keyId);
  await until('a rotation begins', () => cloud.rekey(['rotate', keyId, '--yes', '--reason', 'an alarm']), 90, 3);
  return nothing;
}

/** The admin credential of an account of its own stops working, and then the key is revoked. */
async function refusedRevocation(cloud: Cloud): Promise<() => Promise<void>> {
  const { SecretPrefix = '' } = cloud.stack.outputs();
  const SecretId = secretNames.admin(SecretPrefix, 'sandbox', 'alarms');
  const good = JSON.stringify({ apiKey: cloud.vendor.adminKey.reveal() });
  const { secrets } = cloud.clients;
  await secrets.send(new CreateSecretCommand({ Name: SecretId, KmsKeyId: secretNames.encryptionAlias(cloud.stage), SecretString: good }));
  const keyId = await addKey(cloud, 'revoked', { account: 'alarms' });
  await isActive(cloud, keyId);
  await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ apiKey: 'no longer' }) }));
  const as = await cloud.principal('responder', { name: 'alarms' });
  await cloud.cli(['revoke', keyId, '--confirm', keyId, '--reason', 'an alarm', '--source', 'log', '--no-wait'], { as });
  const { state } = await cloud.key(keyId);
  if (state !== 'revoking') throw new Error(`the key is ${state}, and was to be revoked`);
  return async () => {
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: good }));
  };
}

const isActive = (cloud: Cloud, keyId: string) =>
  until(`${keyId} is active`, async () => (await cloud.key(keyId)).state === 'active', 120, 3);
