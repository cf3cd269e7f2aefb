import { DescribeAlarmsCommand, type MetricAlarm, PutMetricDataCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { metricNamespace } from '../../core/metric.ts';
import { type AlarmProperties, type Datapoint, extracted, isWatched } from '../support/cloudwatch.ts';
import { type Condition, conditions, left } from './alarm-conditions.ts';
import type { Capability } from './capabilities.ts';
import type { Cloud } from './cloud.ts';
import type { Subscription } from './subscription.ts';
import { until } from './until.ts';

/**
 * How an alarm of the deployed stack was shown. `fired`: the condition was there, it was measured, and the alarm was in ALARM.
 * `metric shown`: a function's own log line holds the metric that the alarm watches, it did not breach, and the alarm was set by hand. Of both the
 * page arrived at a subscriber of the topic.
 */
export interface AlarmCheck {
  readonly alarm: string;
  readonly observed: string;
  readonly how: 'fired' | 'metric shown' | 'not run';
}

/** Why an endpoint cannot offer a capability, or undefined when it does. */
export type Lacks = (capability: Capability) => string | undefined;

/** Why nothing is done about an alarm at an endpoint, or undefined when something is. */
export function notDone(alarm: string, lacks: Lacks): string | undefined {
  const condition = conditions[alarm];
  if (!condition) return left[alarm];
  return condition.needs?.map(lacks).find((why) => why !== undefined);
}

/**
 * Shows the alarms of the stage one by one, side by side. At an endpoint that makes no metrics of log lines, and counts nothing by itself, the
 * datapoint is put, as it is, in CloudWatch's place. Throws when a condition comes to pass and its alarm does not notice, and when a page does not arrive.
 */
export async function alarmChecks(cloud: Cloud, lacks: Lacks): Promise<AlarmCheck[]> {
  const { stage, clients } = cloud;
  const pages = await cloud.subscribe('pages', undefined, 'pages');
  const { MetricAlarms = [] } = await clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${stage}-rekey-` }));
  return Promise.all(
    MetricAlarms.map(async (alarm): Promise<AlarmCheck> => {
      const name = (alarm.AlarmName ?? '').slice(`${stage}-rekey-`.length);
      const why = notDone(name, lacks);
      if (why !== undefined) return { alarm: name, how: 'not run', observed: why };
      const condition = conditions[name];
      if (!condition) throw new Error(`nobody said what to do about the alarm ${name}`);
      return { alarm: name, ...(await check(cloud, pages, alarm, condition)) };
    }),
  );
}

async function check(cloud: Cloud, pages: Subscription, alarm: MetricAlarm, condition: Condition): Promise<Omit<AlarmCheck, 'alarm'>> {
  const { cloudwatch } = cloud.clients;
  const since = Date.now();
  const putRight = await condition.cause?.(cloud);
  const { datapoint, seen } = await measured(cloud, alarm, condition, since);
  const byHand = cloud.endpoint.name !== 'aws';
  if (byHand) await put(cloud, datapoint);
  const { fires } = condition;
  const { AlarmName = '', Period = 60, EvaluationPeriods = 1 } = alarm;
  const rings = async () => (await stateOf(cloud, AlarmName)) === 'ALARM';
  // As long as it looks back, and some minutes for whoever is late.
  if (fires) await until(`${AlarmName} rings`, rings, Period * EvaluationPeriods + 300, 5);
  else {
    if (await rings()) throw new Error(`${AlarmName} rings though nothing is wrong: ${seen}`);
    const reason = { StateValue: 'ALARM' as const, StateReason: 'whether its page arrives' };
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, ...reason }));
  }
  const page = (message: object) => 'AlarmName' in message && message.AlarmName === AlarmName;
  await pages.hear(`the page of ${AlarmName}`, page, 120);
  await putRight?.();
  await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'OK', StateReason: 'seen to ring' }));
  if (!fires) return { how: 'metric shown', observed: `${seen}; set by hand, its page arrived` };
  return { how: 'fired', observed: `${seen}${byHand ? ', its datapoint was put by hand' : ''}, it rang, and its page arrived` };
}

/** What the alarm watches, from a function's own line where one measures it. */
async function measured(cloud: Cloud, alarm: MetricAlarm, { logs, condition, fires }: Condition, since: number) {
  const properties = alarm as unknown as AlarmProperties;
  if (!logs) {
    const dimensions = Object.fromEntries((alarm.Dimensions ?? []).map(({ Name = '', Value = '' }) => [Name, Value]));
    const [namespace, name] = [alarm.Namespace ?? '', alarm.MetricName ?? ''];
    return { seen: `${condition}: seen`, datapoint: { at: Date.now(), namespace, name, dimensions, value: 1 } };
  }
  if (alarm.Namespace !== metricNamespace) throw new Error(`${alarm.AlarmName} does not watch a metric of ours`);
  const breaches = ({ value }: Datapoint) => !fires || value >= properties.Threshold;
  const datapoint = await until(
    `a line of ${logs} that ${alarm.AlarmName} watches`,
    async () => (await measuredBy(cloud, logs, properties, since)).find(breaches),
    420,
    5,
  );
  return { seen: `${condition}: ${logs} measured ${datapoint.name} ${datapoint.value}`, datapoint };
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

async function stateOf({ clients }: Cloud, AlarmName: string): Promise<string | undefined> {
  const { MetricAlarms } = await clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
  return MetricAlarms?.[0]?.StateValue;
}
