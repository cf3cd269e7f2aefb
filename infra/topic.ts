import { Stack } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/**
 * Three topics: `notices` tells downstream services about keys, `emergencies` tells them to stop using one, so that no filter for the
 * former can lose the latter, and `pages` wakes people. All are encrypted with one key and take messages over TLS only; messages are
 * signed with SHA-256, so that a subscriber can tell them from a forgery.
 */
export class Topics extends Construct {
  readonly notices: Topic;
  readonly emergencies: Topic;
  readonly pages: Topic;

  /** `consumerAccounts`: other accounts, whose services hear notices and emergencies. */
  constructor(scope: Construct, id: string, name: (what: string) => string, masterKey: Key, consumerAccounts: readonly string[] = []) {
    super(scope, id);
    const topic = (part: string, topicName: string) =>
      new Topic(this, part, { topicName, masterKey, enforceSSL: true, signatureVersion: '2' });
    this.notices = topic('Notices', name('notices'));
    this.emergencies = topic('Emergencies', name('emergencies'));
    this.pages = topic('Pages', name('pages'));
    for (const heard of consumerAccounts.length ? [this.notices, this.emergencies] : [])
      heard.addToResourcePolicy(maySubscribe(heard, consumerAccounts));
    // A topic that has a policy has only that: without this line no alarm gets through, and none says so.
    this.pages.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.pages.topicArn],
        conditions: fromAlarms(Stack.of(this), name),
      }),
    );
  }
}

/**
 * Lets accounts subscribe a queue or a function of their own to a topic, and do nothing else with it: SNS reads the messages for them, so they need no right to the
 * topic's key.
 */
function maySubscribe({ topicArn }: Topic, accounts: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    principals: accounts.map((account) => new AccountPrincipal(account)),
    actions: ['sns:Subscribe'],
    resources: [topicArn],
    conditions: { StringEquals: { 'sns:Protocol': ['sqs', 'lambda'] } },
  });
}

/** Holds for CloudWatch when it acts for an alarm of this stage. */
export function fromAlarms({ account, region, partition }: Stack, name: (what: string) => string) {
  return {
    StringEquals: { 'aws:SourceAccount': account },
    ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:${name('*')}` },
  };
}
