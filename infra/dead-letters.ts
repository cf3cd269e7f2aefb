import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** Where everything ends that nobody waits for and that did not arrive, or failed when it ran. An alarm watches it and people empty it. */
export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, queueName: string, encryptionMasterKey: Key) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue of the schedules and of the functions; an alarm watches it and people empty it.',
    });
  }

  /** Lets EventBridge put here what it could not deliver for a rule, or SNS what it could not deliver of a topic. */
  takeFrom(service: 'events.amazonaws.com' | 'sns.amazonaws.com', sourceArn: string): void {
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': sourceArn }, StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }

  /**
   * An invocation of the function that nobody waits for is not repeated unless said otherwise: the next firing looks again, and a repetition of
   * this one would only stand beside it. It ends here when it fails, or when it was not begun after five minutes. What nobody sends again
   * (`repeats`) is tried twice more within the hour.
   */
  catch(lambda: LambdaFunction, repeats = false): void {
    lambda.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }));
    lambda.configureAsyncInvoke({
      retryAttempts: repeats ? 2 : 0,
      maxEventAge: repeats ? Duration.hours(1) : Duration.minutes(5),
      onFailure: { bind: () => ({ destination: this.queue.queueArn }) },
    });
  }
}
