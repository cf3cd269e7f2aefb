import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { CreateScheduleCommand, DeleteScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { DescribeExecutionCommand, SendTaskSuccessCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { openSqs } from '../clients.ts';
import { until } from '../until.ts';
import type { Lab, Trial } from './lab.ts';

/** What the endpoint does by itself once it was asked: deliver, wait, fire, evaluate. */
export const messageTrials = [
  {
    id: 'sns-filter',
    asks: 'SNS delivers to SQS what a filter on attributes lets through',
    async run(lab: Lab) {
      const { TopicArn } = await lab.outputs;
      const sns = new SNSClient({});
      const publish = (kind: string) =>
        sns.send(
          new PublishCommand({ TopicArn, Message: `sns ${kind}`, MessageAttributes: { kind: { DataType: 'String', StringValue: kind } } }),
        );
      await publish('unwanted');
      await publish('wanted');
      await receive(lab, (body) => {
        if (body === 'sns unwanted') throw new Error('what the filter keeps out was delivered');
        return body === 'sns wanted';
      });
      return 'one of two messages came';
    },
  },
  {
    id: 'tls-only',
    asks: 'a policy’s condition on TLS is enforced',
    async run(lab: Lab) {
      const { ClosedUrl } = await lab.outputs;
      try {
        await openSqs().send(new SendMessageCommand({ QueueUrl: ClosedUrl, MessageBody: 'no' }));
      } catch (error) {
        return `refused with ${(error as Error).name}`;
      }
      throw new Error('a message that the policy denies was taken');
    },
  },
  {
    id: 'task-tokens',
    asks: 'an execution waits for its task token',
    async run(lab: Lab) {
      const { WorkflowArn, QueueUrl } = await lab.outputs;
      const sfn = new SFNClient({});
      const input = JSON.stringify({ queue: QueueUrl });
      const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: WorkflowArn, input }));
      const taskToken = await receive(lab, (body) => !body.startsWith('sns ') && body !== 'scheduled');
      await sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{"by":"token"}' }));
      const end = await endOf(sfn, executionArn);
      if (!/^SUCCEEDED .*"by":\s*"token"/.test(end)) throw new Error(`it ended ${end}`);
      return 'it went on with the token’s answer';
    },
  },
  {
    id: 'error-names',
    asks: 'a workflow catches the error of a function by its name',
    async run(lab: Lab) {
      const { FailingArn } = await lab.outputs;
      const sfn = new SFNClient({});
      const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: FailingArn, input: '{}' }));
      const output = await endOf(sfn, executionArn);
      if (output !== 'SUCCEEDED "by its name"') throw new Error(`it ended ${output}`);
      return 'it was caught by its name';
    },
  },
  {
    id: 'scheduler',
    asks: 'EventBridge Scheduler fires',
    async run(lab: Lab) {
      const { QueueArn, RoleArn } = await lab.outputs;
      const scheduler = new SchedulerClient({});
      const at = new Date(Date.now() + 5000).toISOString().slice(0, 19);
      const Target = { Arn: QueueArn, RoleArn, Input: 'scheduled' };
      const what = { Name: lab.name, FlexibleTimeWindow: { Mode: 'OFF' as const }, Target };
      await scheduler.send(new CreateScheduleCommand({ ...what, ScheduleExpression: `at(${at})`, ScheduleExpressionTimezone: 'UTC' }));
      const started = Date.now();
      await receive(lab, (body) => body === 'scheduled');
      await scheduler.send(new DeleteScheduleCommand({ Name: lab.name })).catch(() => undefined);
      return `it fired after ${Math.round((Date.now() - started) / 1000)} s`;
    },
  },
  {
    id: 'alarms',
    asks: 'CloudWatch evaluates alarms',
    async run(lab: Lab) {
      const cloudwatch = new CloudWatchClient({});
      const metric = { Namespace: lab.name, MetricName: 'Tried' };
      await cloudwatch.send(
        new PutMetricAlarmCommand({
          ...metric,
          ...{ AlarmName: lab.name, Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 },
          ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        }),
      );
      const { Namespace, MetricName } = metric;
      await cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData: [{ MetricName, Value: 1 }] }));
      const state = async () => {
        const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [lab.name] }));
        return MetricAlarms[0]?.StateValue === 'ALARM';
      };
      await until('the alarm is in ALARM', state, 150);
      await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [lab.name] }));
      return 'one went to ALARM';
    },
  },
] as const satisfies readonly Trial[];

async function endOf(sfn: SFNClient, executionArn: string | undefined): Promise<string> {
  const ended = async () => {
    const { status, output } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return status !== 'RUNNING' && `${status} ${output}`;
  };
  return until('the execution ends', ended, 30);
}

/** Every trial reads the one queue: each takes what is its own, and leaves the rest for the others to see again at once. */
async function receive({ outputs }: Lab, mine: (body: string) => boolean): Promise<string> {
  const { QueueUrl } = await outputs;
  const sqs = openSqs();
  const look = async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 1 }));
    const found = Messages.find(({ Body = '' }) => mine(Body));
    if (found) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: found.ReceiptHandle }));
    return found?.Body;
  };
  return until('a message comes', look, 90);
}
