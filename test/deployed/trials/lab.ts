import { DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { DeleteParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { removePrincipals } from '../principals.ts';
import { type Credentials, cloudFormation } from '../signed.ts';
import { until } from '../until.ts';
import { labTemplate } from './lab-template.ts';

/** Throw-away resources of one run, so that an endpoint can be asked by doing what the product does. */
export interface Lab {
  readonly name: string;
  /** What the lab's CloudFormation stack said; rejects when it could not be made. */
  readonly outputs: Promise<Readonly<Record<string, string>>>;
  /** A new user without any right. */
  user(name: string): Promise<{ readonly name: string; readonly credentials: Credentials }>;
}

/** One question to the endpoint. */
export interface Trial<Id extends string = string> {
  readonly id: Id;
  readonly asks: string;
  /** Returns what was observed; throws an Error that says what was not. */
  run(lab: Lab): Promise<string>;
}

/** Begins to make a lab. What is needed of it is waited for where it is needed. */
export function openLab(name: string): Lab {
  const iam = new IAMClient({});
  const outputs = make(name);
  // Who needs it hears of it; a run of trials that need nothing of it goes on.
  outputs.catch(() => undefined);
  return {
    name,
    outputs,
    async user(suffix) {
      const UserName = `${name}-${suffix}`;
      await iam.send(new CreateUserCommand({ UserName }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      return { name: UserName, credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! } };
    },
  };
}

/** Takes everything away again but what its template retains. Throws an Error when the stack does not go. */
export async function closeLab({ name, outputs }: Lab): Promise<void> {
  await removePrincipals(name);
  await outputs;
  await deleteStack(name);
}

/** Takes away what there still is of a lab, and what its template retains, however far it came. Throws an Error when the stack does not go. */
export async function clearLab(name: string): Promise<void> {
  await removePrincipals(name);
  await until(`the stack ${name} is made or not`, async () => !(await statusOf(name)).endsWith('IN_PROGRESS'), 180);
  if (!isGone(await statusOf(name))) await deleteStack(name);
  await new SSMClient({}).send(new DeleteParametersCommand({ Names: [`/${name}/retained`] }));
}

async function deleteStack(name: string): Promise<void> {
  const unprotected = { TableName: name, DeletionProtectionEnabled: false };
  await new DynamoDBClient({}).send(new UpdateTableCommand(unprotected)).catch((error: Error) => {
    // A lab that came not so far.
    if (error.name !== 'ResourceNotFoundException') throw error;
  });
  await cloudFormation('DeleteStack', { StackName: name });
  await until(`the stack ${name} is gone`, async () => isGone(await statusOf(name)), 180);
}

const isGone = (status: string): boolean => /DELETE_COMPLETE|gone/.test(status);

async function make(name: string): Promise<Readonly<Record<string, string>>> {
  const TemplateBody = JSON.stringify(labTemplate(name, process.env['AWS_ENDPOINT_URL']?.startsWith('http:') ?? false));
  await cloudFormation('CreateStack', { StackName: name, TemplateBody, 'Capabilities.member.1': 'CAPABILITY_NAMED_IAM' });
  const end = await until(`the stack ${name} is made`, async () => /COMPLETE|FAILED/.exec(await statusOf(name)), 180);
  const description = await cloudFormation('DescribeStacks', { StackName: name });
  if (!description.includes('<StackStatus>CREATE_COMPLETE<')) throw new Error(`the stack ${name} ended ${end[0]}: ${await reasonOf(name)}`);
  const members = [...description.matchAll(/<OutputKey>([^<]+)<\/OutputKey>\s*<OutputValue>([^<]+)<\/OutputValue>/g)];
  return Object.fromEntries(members.map(([, key = '', value = '']) => [key, value]));
}

async function reasonOf(name: string): Promise<string> {
  const events = await cloudFormation('DescribeStackEvents', { StackName: name });
  const reasons = [...events.matchAll(/<member>([\s\S]*?)<\/member>/g)].flatMap(([, member = '']) =>
    member.includes('_FAILED<') ? (/<ResourceStatusReason>([^<]+)</.exec(member)?.[1] ?? []) : [],
  );
  // The latest is first, and what failed first took the others with it.
  return reasons.at(-1) ?? 'it does not say why';
}

async function statusOf(name: string): Promise<string> {
  try {
    return /<StackStatus>(\w+)</.exec(await cloudFormation('DescribeStacks', { StackName: name }))?.[1] ?? '';
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return 'gone';
    throw error;
  }
}
