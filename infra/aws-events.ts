import { Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';

export interface AwsEventsProps {
  readonly name: (what: string) => string;
  readonly lambda: LambdaFunction;
  readonly deadLetters: DeadLetters;
}

/**
 * What AWS itself says about access keys: exposed ones of AWS Health, findings of GuardDuty. Only AWS can send with such a source, and the rule
 * takes events of this account only. AWS Health sends its account-wide events in us-east-1: a stage elsewhere needs them forwarded (docs/reports.md).
 */
export class AwsEvents extends Construct {
  constructor(scope: Construct, id: string, { name, lambda, deadLetters }: AwsEventsProps) {
    super(scope, id);
    const { account } = Stack.of(this);
    const rule = new CfnRule(this, 'Rule', {
      name: name('aws-events'),
      description: 'Exposed or misused access keys, as AWS says',
      eventPattern: {
        account: [account],
        source: ['aws.health', 'aws.guardduty'],
        'detail-type': ['AWS Health Event', 'GuardDuty Finding'],
      },
      targets: [
        {
          id: 'aws-event',
          arn: lambda.functionArn,
          deadLetterConfig: { arn: deadLetters.queue.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
        },
      ],
    });
    new CfnPermission(this, 'May', {
      action: 'lambda:InvokeFunction',
      functionName: lambda.functionArn,
      principal: 'events.amazonaws.com',
      sourceAccount: account,
      sourceArn: rule.attrArn,
    });
    deadLetters.catch(lambda, true);
    deadLetters.takeFrom('events.amazonaws.com', rule.attrArn);
  }
}
