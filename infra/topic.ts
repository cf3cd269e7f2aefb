import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/**
 * Two topics: `notices` tells downstream services about keys, `pages` wakes people. Both are encrypted with one key and
 * take messages over TLS only; messages are signed with SHA-256, so that a subscriber can tell them from a forgery.
 */
export class Topics extends Construct {
  readonly notices: Topic;
  readonly pages: Topic;
  readonly key: Key;

  constructor(scope: Construct, id: string, name: (what: string) => string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: `Encrypts ${name('notices')} and ${name('pages')}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    this.notices = this.#topic('Notices', name('notices'));
    this.pages = this.#topic('Pages', name('pages'));
  }

  #topic(id: string, topicName: string): Topic {
    return new Topic(this, id, { topicName, masterKey: this.key, enforceSSL: true, signatureVersion: '2' });
  }
}
