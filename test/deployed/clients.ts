import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Credentials } from './signed.ts';

export type Clients = ReturnType<typeof openClients>;

/** One client for each service that is looked at, with the rights of whoever runs the tests. */
export function openClients() {
  return {
    cloudwatch: new CloudWatchClient({}),
    dynamodb: new DynamoDBClient({}),
    iam: new IAMClient({}),
    logs: new CloudWatchLogsClient({}),
    scheduler: new SchedulerClient({}),
    secrets: new SecretsManagerClient({}),
    sfn: new SFNClient({}),
    sns: new SNSClient({}),
    sqs: openSqs(),
    ssm: new SSMClient({}),
  };
}

/** SQS goes by the endpoint and not by the host in a queue's URL, which an emulator may spell in another way. */
export function openSqs(credentials?: Credentials): SQSClient {
  return new SQSClient({ useQueueUrlAsEndpoint: false, ...(credentials ? { credentials } : {}) });
}
