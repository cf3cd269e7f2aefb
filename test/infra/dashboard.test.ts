import { expect, test } from 'vitest';
import { tiers } from '../../core/key.ts';
import { type Metric, metricNamespace, metrics } from '../../core/metric.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';

type Line = readonly [namespace: string, metricName: string, ...rest: unknown[]];
interface Widget {
  readonly type: string;
  readonly properties: { readonly title?: string; readonly metrics?: readonly Line[]; readonly alarms?: readonly string[] };
}

const stack = readTemplate(testStack());
const dashboards = stack.ofType('AWS::CloudWatch::Dashboard').map(({ Properties }) => Properties);
const widgets = (JSON.parse(flat(dashboards[0].DashboardBody)) as { widgets: Widget[] }).widgets;
const lines = widgets.flatMap(({ properties }) => properties.metrics ?? []);
const ours = lines.filter(([namespace]) => namespace === metricNamespace);

test('there is one dashboard, and it fits on a page', () => {
  expect(dashboards.map(({ DashboardName }) => DashboardName)).toEqual(['test-rekey-overview']);
  expect(widgets.length).toBeLessThanOrEqual(13);
});

test('it begins with every alarm', () => {
  expect(widgets[0]?.type).toBe('alarm');
  expect(widgets[0]?.properties.alarms).toHaveLength(stack.ofType('AWS::CloudWatch::Alarm').length);
});

test('it shows metrics that the core names, under the dimensions that the functions write', () => {
  for (const [, name, ...rest] of ours) {
    expect(Object.keys(metrics)).toContain(name);
    const dimensions = rest.filter((part) => typeof part === 'string');
    expect(dimensions.slice(0, 2)).toEqual(['stage', 'test']);
    if (dimensions.length > 2) expect([dimensions[2], tiers]).toEqual(['tier', expect.arrayContaining([dimensions[3]])]);
    expect(dimensions.length).toBeLessThanOrEqual(4);
  }
});

test.each<[string, readonly Metric[]]>([
  [
    'revocations and how fast they are',
    ['revocationsStarted', 'revocationsContained', 'revocationDisableSeconds', 'revocationDeadSeconds'],
  ],
  ['rotations by outcome', ['rotationsSucceeded', 'rotationsRolledBack']],
  ['who is late', ['keysOverdue', 'operationsStuck', 'consumersSilent', 'noticesWaiting']],
])('it shows %s', (_, names) => {
  const shown = ours.map(([, name]) => name);
  expect(names.filter((name) => !shown.includes(name))).toEqual([]);
});

test('it shows dead letters, the functions on the way to a dead key, and what the doors answered', () => {
  const theirs = lines.filter(([namespace]) => String(namespace).startsWith('AWS/')).map(([namespace, name]) => `${namespace} ${name}`);
  expect([...new Set(theirs)].sort()).toEqual([
    'AWS/ApiGateway 4xx',
    'AWS/ApiGateway 5xx',
    'AWS/Lambda Duration',
    'AWS/Lambda Errors',
    'AWS/SQS ApproximateNumberOfMessagesVisible',
  ]);
});
