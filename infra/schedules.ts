import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { tiers } from '../core/key.ts';
import type { Settings } from '../core/settings.ts';
import type { DeadLetters } from './dead-letters.ts';

export interface SchedulesProps {
  readonly name: (what: string) => string;
  readonly settings: Settings;
  readonly sweep: LambdaFunction;
  readonly reconcile: LambdaFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * One schedule per tier starts the sweep, and one starts the reconciler. A firing only says "look now": what is due is
 * data in the inventory, so that a firing which is lost or comes twice changes nothing. What could not be delivered is a
 * dead letter.
 */
export class Schedules extends Construct {
  readonly #group: CfnScheduleGroup;
  readonly #deadLetters: string;

  constructor(scope: Construct, id: string, { name, settings, sweep, reconcile, deadLetters }: SchedulesProps) {
    super(scope, id);
    this.#deadLetters = deadLetters.queue.queueArn;
    this.#group = new CfnScheduleGroup(this, 'Group', { name: name('schedules') });
    for (const tier of tiers) {
      const seconds = settings.sweepSeconds[tier];
      this.#schedule(`Sweep-${tier}`, name(`sweep-${tier}`), sweep, seconds, { tier }, Math.min(15, Math.floor(seconds / 120)));
    }
    for (const target of [sweep, reconcile]) deadLetters.catch(target);
    this.#schedule('Reconcile', name('reconcile'), reconcile, settings.reconcileSeconds, {}, 0);
  }

  #schedule(id: string, name: string, target: LambdaFunction, seconds: number, input: object, windowMinutes: number): void {
    const { account, region, partition } = Stack.of(this);
    const role = new Role(this, `${id}-Role`, {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnEquals: { 'aws:SourceArn': `arn:${partition}:scheduler:${region}:${account}:schedule-group/${this.#group.name}` },
        },
      }),
    });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.#deadLetters] }));
    const schedule = new CfnSchedule(this, id, {
      name,
      groupName: this.#group.ref,
      scheduleExpression: rate(seconds),
      scheduleExpressionTimezone: 'UTC',
      flexibleTimeWindow: windowMinutes > 0 ? { mode: 'FLEXIBLE', maximumWindowInMinutes: windowMinutes } : { mode: 'OFF' },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify(input),
        // Age in seconds: after this long the next firing has looked already. 60 is the least that Scheduler takes.
        retryPolicy: { maximumEventAgeInSeconds: Math.max(60, Math.min(seconds, 3600)), maximumRetryAttempts: 3 },
        deadLetterConfig: { arn: this.#deadLetters },
      },
    });
    schedule.node.addDependency(role);
  }
}

/** Scheduler counts in whole minutes; rules.ts refuses what is not. */
function rate(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
}
