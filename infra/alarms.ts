import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface AlarmsProps {
  readonly name: (what: string) => string;
  readonly pages: ITopic;
  readonly rotate: StateMachine;
  readonly revoke: StateMachine;
  readonly reconcile: { readonly lambda: LambdaFunction; readonly logs: LogGroup };
  readonly sweep: { readonly logs: LogGroup };
  readonly intake: LambdaFunction;
  readonly undelivered: Queue;
}

/** The alarms by the heading of docs/runbook.md that says what to do. */
export const alarmHeadings = {
  'rotations-failing': 'Alarm: rotations are failing',
  'revocations-failing': 'Alarm: a revocation failed',
  'revoke-door-failing': 'Alarm: the revoke door is failing',
  'reconciler-silent': 'Alarm: the reconciler is silent',
  'reconciler-failing': 'Alarm: the reconciler is failing',
  'keys-not-reconciled': 'Alarm: keys are not reconciled',
  'keys-overdue': 'Alarm: due keys are not started',
  'firings-undelivered': 'Alarm: firings were not delivered',
} as const;

const fiveMinutes = Duration.minutes(5);
const hour = Duration.hours(1);

/** One alarm per way in which Rekey can stop doing its job. Each says in its description where the runbook goes on. */
export class Alarms extends Construct {
  readonly #props: AlarmsProps;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    const { rotate, revoke, reconcile, sweep, intake, undelivered } = props;
    const sum = { period: fiveMinutes, statistic: 'Sum' };
    this.#alarm('rotations-failing', rotate.metricFailed(sum), 'Rotations end in a rollback, or without an end.');
    this.#alarm(
      'revocations-failing',
      revoke.metricFailed(sum),
      'A revocation stopped before its end; the key may be contained and not reissued.',
    );
    this.#alarm('revoke-door-failing', intake.metricErrors(sum), 'Requests to revoke end in an unexpected error.');
    this.#alarm('reconciler-failing', reconcile.lambda.metricErrors(sum), 'What executions drop is not taken up again.', 3);
    this.#alarm(
      'reconciler-silent',
      reconcile.lambda.metricInvocations(sum),
      'No schedule has fired for a while: nothing rotates by itself.',
      3,
      'none',
    );
    this.#alarm(
      'keys-not-reconciled',
      this.#logged(reconcile.logs, 'failed', fiveMinutes),
      'The reconciler fails on the same keys, run after run.',
      3,
    );
    this.#alarm('keys-overdue', this.#logged(sweep.logs, 'skipped', hour), 'Keys are due and their rotation could not be started.', 2);
    this.#alarm(
      'firings-undelivered',
      undelivered.metricApproximateNumberOfMessagesVisible({ period: fiveMinutes, statistic: 'Maximum' }),
      'A schedule did not reach its function, or the function failed.',
    );
  }

  /** The most keys that one run of a schedule logged under a word. */
  #logged(logGroup: LogGroup, word: 'failed' | 'skipped', period: Duration): IMetric {
    const metricName = this.#props.name(`keys-${word}`);
    const field = `$.detail.${word}`;
    const filterPattern = FilterPattern.numberValue(field, '>', 0);
    const filter = new MetricFilter(this, `Keys-${word}`, {
      logGroup,
      filterPattern,
      metricNamespace: 'Rekey',
      metricName,
      metricValue: field,
    });
    return filter.metric({ period, statistic: 'Maximum' });
  }

  #alarm(what: keyof typeof alarmHeadings, metric: IMetric, meaning: string, periods = 1, when: 'some' | 'none' = 'some'): void {
    const alarm = new Alarm(this, what, {
      alarmName: this.#props.name(what),
      alarmDescription: `${meaning} Runbook: docs/runbook.md, "${alarmHeadings[what]}".`,
      metric,
      threshold: 1,
      evaluationPeriods: periods,
      comparisonOperator: when === 'some' ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: when === 'some' ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#props.pages));
  }
}
