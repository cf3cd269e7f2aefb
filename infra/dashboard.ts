import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  MathExpression,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { tiers } from '../core/key.ts';
import { type Metric, metricNamespace } from '../core/metric.ts';
import { containTargetSeconds } from '../core/settings.ts';
import { answered, measured } from './measured.ts';

export interface DashboardProps {
  readonly name: (what: string) => string;
  readonly stage: string;
  readonly alarms: readonly IAlarm[];
  /** The functions that a key's end depends on, in their order. */
  readonly killPath: readonly LambdaFunction[];
  readonly undelivered: Queue;
  readonly apiId: string;
}

const hour = Duration.hours(1);
const fiveMinutes = Duration.minutes(5);

/** One page for a glance: what rings, whether keys die and how fast, whether keys stay young, who is late, and whether Rekey itself is well. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const rows = [revocations(props), rotations(props), waiting(props), itself(props)];
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: props.name('overview'),
      widgets: [[new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: 24, height: 4 })], ...rows],
    });
  }
}

function revocations({ stage }: DashboardProps): IWidget[] {
  const of = (metric: Metric, statistic: string, period = hour) => measured(metric, { stage }, { statistic, period });
  return [
    graph('Revocations', [of('revocationsStarted', 'Sum'), of('revocationsContained', 'Sum')]),
    graph('Seconds from request to told, and to seen refused (slowest)', [
      of('revocationDisableSeconds', 'Maximum'),
      of('revocationDeadSeconds', 'Maximum'),
    ]),
    graph(
      'Age of the oldest that is not contained',
      [of('revocationOpenSeconds', 'Maximum', fiveMinutes)],
      [{ value: containTargetSeconds, label: 'target' }],
    ),
  ];
}

function rotations({ stage }: DashboardProps): IWidget[] {
  const byTier = (statistic: string, ...names: Metric[]) =>
    names.flatMap((name) => tiers.map((tier) => measured(name, { stage, tier }, { statistic, period: hour, label: `${tier} ${name}` })));
  return [
    graph('Rotations by tier and outcome', byTier('Sum', 'rotationsSucceeded', 'rotationsRolledBack')),
    graph('Keys due, and overdue, by tier', byTier('Maximum', 'keysDue', 'keysOverdue')),
    graph('Rolled back, by provider', [
      new MathExpression({
        expression: `SEARCH('{${metricNamespace},stage,tier,provider} stage="${stage}" MetricName="rotationsRolledBack"', 'Sum', 3600)`,
        usingMetrics: {},
        label: '',
        period: hour,
      }),
    ]),
  ];
}

function waiting({ stage, undelivered }: DashboardProps): IWidget[] {
  const of = (metric: Metric, statistic: string) => measured(metric, { stage }, { statistic, period: fiveMinutes });
  return [
    graph('Waiting for somebody', [of('consumersSilent', 'Maximum'), of('operationsStuck', 'Sum'), of('noticesWaiting', 'Maximum')]),
    graph('Calls for a person, and drift put right', [of('attentionsOpened', 'Sum'), of('destinationsRestored', 'Sum')]),
    graph('Not reconciled, and firings not delivered', [
      of('keysNotReconciled', 'Maximum'),
      undelivered.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: fiveMinutes, label: 'dead letters' }),
    ]),
  ];
}

function itself({ killPath, apiId }: DashboardProps): IWidget[] {
  const each = (metric: (lambda: LambdaFunction) => IMetric) => killPath.map(metric);
  return [
    graph(
      'Errors on the way to a dead key',
      each((lambda) => lambda.metricErrors({ period: fiveMinutes, label: lambda.node.scope?.node.id ?? '' })),
    ),
    graph(
      'Milliseconds on that way (p95)',
      each((lambda) => lambda.metricDuration({ period: fiveMinutes, statistic: 'p95', label: lambda.node.scope?.node.id ?? '' })),
    ),
    graph('Requests that were refused (4xx) or failed (5xx)', [answered('4xx', apiId), answered('5xx', apiId)]),
  ];
}

function graph(title: string, left: IMetric[], leftAnnotations: { value: number; label: string }[] = []): IWidget {
  return new GraphWidget({ title, left, leftAnnotations, leftYAxis: { min: 0 }, width: 8, height: 6 });
}
