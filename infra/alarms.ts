import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarm, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Metric } from '../core/metric.ts';
import { containTargetSeconds, type Settings } from '../core/settings.ts';
import { answered, measured } from './measured.ts';

export interface AlarmsProps {
  readonly name: (what: string) => string;
  readonly settings: Settings;
  readonly pages: ITopic;
  readonly revoke: StateMachine;
  readonly apiId: string;
  readonly undelivered: Queue;
}

/** The alarms by the heading of docs/runbook.md that says what to do. */
export const alarmHeadings = {
  'revocation-not-contained': 'Alarm: a revocation is not contained',
  'revocation-failed': 'Alarm: a revocation failed',
  'doors-failing': 'Alarm: the doors are failing',
  'rotation-rolled-back': 'Alarm: a rotation was rolled back',
  'consumer-silent': 'Alarm: a consumer is silent',
  'key-overdue': 'Alarm: a key is overdue',
  'operation-stuck': 'Alarm: an operation is stuck',
  'notices-waiting': 'Alarm: notices are not sent',
  'keys-not-reconciled': 'Alarm: keys are not reconciled',
  'reconciler-stopped': 'Alarm: the reconciler has stopped',
  'sweeps-stopped': 'Alarm: the sweeps have stopped',
  'firings-undelivered': 'Alarm: firings were not delivered',
  'reports-waiting': 'Alarm: reports wait for a responder',
} as const;

interface Rule {
  readonly means: string;
  readonly metric: IMetric;
  /** 1 unless said otherwise. */
  readonly threshold?: number;
  /** How many periods in a row; 1 unless said otherwise. */
  readonly periods?: number;
  /** `silence`: it rings when nothing was measured. */
  readonly ringsAt?: 'threshold' | 'silence';
}

/** One alarm per way in which Rekey can stop doing its job. Each says in its description where the runbook goes on. */
export class Alarms extends Construct {
  readonly all: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.all = Object.entries(rules(props)).map(([what, { means, metric, threshold = 1, periods = 1, ringsAt = 'threshold' }]) => {
      const heading = alarmHeadings[what as keyof typeof alarmHeadings];
      const silence = ringsAt === 'silence';
      const alarm = new Alarm(this, what, {
        alarmName: props.name(what),
        alarmDescription: `${means} Runbook: docs/runbook.md#${anchorOf(heading)}, "${heading}".`,
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: silence ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: silence ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(props.pages));
      return alarm;
    });
  }
}

function rules({ settings, revoke, apiId, undelivered }: AlarmsProps): Readonly<Record<keyof typeof alarmHeadings, Rule>> {
  const { stage, reconcileSeconds, stuckSeconds, sweepSeconds } = settings;
  /** Ours, over at least five minutes, and over long enough to see what comes only as often as `everySeconds`. */
  const ours = (metric: Metric, statistic: string, everySeconds = reconcileSeconds) =>
    measured(metric, { stage }, { statistic, period: Duration.minutes(Math.ceil(Math.max(300, everySeconds) / 60)) });
  const sum = { statistic: 'Sum', period: Duration.minutes(5) };
  return {
    'revocation-not-contained': {
      means: `A key that was revoked may still be accepted, ${containTargetSeconds / 60} minutes after the request.`,
      metric: ours('revocationOpenSeconds', 'Maximum'),
      threshold: containTargetSeconds,
    },
    'revocation-failed': {
      means: 'A revocation stopped before its end; the key may be contained and not reissued.',
      metric: revoke.metricFailed(sum),
    },
    'doors-failing': {
      means: 'Requests end in an unexpected error, those to revoke perhaps among them.',
      metric: answered('5xx', apiId),
    },
    'rotation-rolled-back': {
      means: 'A rotation was taken back; the key keeps its old version.',
      metric: ours('rotationsRolledBack', 'Sum'),
    },
    'consumer-silent': {
      means: 'The overlap of a rotation is at its cap and a consumer has not proved that it moved. Both versions stay alive.',
      metric: ours('consumersSilent', 'Maximum'),
    },
    'key-overdue': {
      means: 'A key is past what its tier tolerates, and its rotation could not be started.',
      metric: ours('keysOverdue', 'Maximum', 3600),
    },
    // Twice at one step within this time, and a third time to be seen in.
    'operation-stuck': {
      means: 'An operation was started again and again, and does not get beyond its step.',
      metric: ours('operationsStuck', 'Sum', 3 * stuckSeconds),
    },
    'reports-waiting': {
      means: 'A sender reported more keys than may be ended by themselves; the rest waits for a responder.',
      metric: ours('reportsQueued', 'Sum'),
    },
    'notices-waiting': { means: 'Notices were committed and cannot be sent.', metric: ours('noticesWaiting', 'Maximum') },
    'keys-not-reconciled': {
      means: 'The reconciler fails on some key, run after run.',
      metric: ours('keysNotReconciled', 'Minimum'),
      periods: 3,
    },
    'reconciler-stopped': {
      means: 'No run of the reconciler came to its end: what executions drop is not taken up, and what is committed is not sent.',
      metric: ours('reconcileRuns', 'Sum'),
      periods: 3,
      ringsAt: 'silence',
    },
    'sweeps-stopped': {
      means: 'Nobody looked for due keys: nothing rotates by itself.',
      metric: ours('keysDue', 'SampleCount', sweepSeconds.high),
      periods: 3,
      ringsAt: 'silence',
    },
    'firings-undelivered': {
      means: 'A schedule did not reach its function, or the function failed.',
      metric: undelivered.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
    },
  };
}

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(':', '').replaceAll(' ', '-');
