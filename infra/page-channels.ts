import { Stack } from 'aws-cdk-lib';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSubscription, type Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';

export interface PageChannelsProps {
  readonly pages: Topic;
  readonly lambda: LambdaFunction;
  readonly deadLetters: DeadLetters;
}

/** The function of people's own channels is one more subscriber of the topic of pages; what it cannot pass on is a dead letter, which has an alarm. */
export class PageChannels extends Construct {
  constructor(scope: Construct, id: string, { pages, lambda, deadLetters }: PageChannelsProps) {
    super(scope, id);
    new CfnPermission(this, 'May', {
      action: 'lambda:InvokeFunction',
      functionName: lambda.functionArn,
      principal: 'sns.amazonaws.com',
      sourceAccount: Stack.of(this).account,
      sourceArn: pages.topicArn,
    });
    new CfnSubscription(this, 'Subscription', {
      topicArn: pages.topicArn,
      protocol: 'lambda',
      endpoint: lambda.functionArn,
      redrivePolicy: { deadLetterTargetArn: deadLetters.queue.queueArn },
    });
    deadLetters.catch(lambda, true);
    deadLetters.takeFrom('sns.amazonaws.com', pages.topicArn);
  }
}
