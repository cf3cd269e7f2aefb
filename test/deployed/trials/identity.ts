import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateAccessKeyCommand, IAMClient, PutUserPolicyCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { reachableUrl } from '../reachable.ts';
import { type Credentials, signed } from '../signed.ts';
import { until } from '../until.ts';
import type { Lab, Trial } from './lab.ts';

/** Who asks, and whether that decides anything. */
export const identityTrials = [
  {
    id: 'functions',
    asks: 'a Node 24 function runs',
    async run(lab: Lab) {
      const { node } = await asked(lab, 'functions');
      if (!node.startsWith('v24.')) throw new Error(`it ran on Node ${node}`);
      return `it ran on Node ${node}`;
    },
  },
  {
    id: 'http-api',
    asks: 'an HTTP API tells its function which IAM principal signed',
    async run(lab: Lab) {
      const { asked: arn } = await asked(lab, 'http-api');
      if (!arn.endsWith(`:user/${lab.name}-http-api`)) throw new Error(`it named ${arn}`);
      return 'it named the user';
    },
  },
  {
    id: 'iam-enforced',
    asks: 'who has no right is refused',
    async run(lab: Lab) {
      const { credentials } = await lab.user('iam-enforced');
      const dynamodb = new DynamoDBClient({ credentials, maxAttempts: 1 });
      const refused = await refusal('AccessDeniedException', () => dynamodb.send(new ListTablesCommand({})));
      const url = await whoUrl(lab);
      const { status } = await post(url, credentials);
      if (status !== 403) throw new Error(`the HTTP API let a user without rights in: ${status}`);
      return `${refused}, and 403 at the HTTP API`;
    },
  },
  {
    id: 'signatures',
    asks: 'a signature with another secret is refused',
    async run(lab: Lab) {
      const { credentials } = await lab.user('signatures');
      await works(credentials);
      const sts = new STSClient({ credentials: { ...credentials, secretAccessKey: 'x'.repeat(40) }, maxAttempts: 1 });
      return refusal('SignatureDoesNotMatch', () => sts.send(new GetCallerIdentityCommand({})));
    },
  },
  {
    id: 'sts-inactive',
    asks: 'STS refuses an inactive access key',
    async run(lab: Lab) {
      const { name, credentials } = await lab.user('sts-inactive');
      await works(credentials);
      const AccessKeyId = credentials.accessKeyId;
      await new IAMClient({}).send(new UpdateAccessKeyCommand({ UserName: name, AccessKeyId, Status: 'Inactive' }));
      const sts = new STSClient({ credentials, maxAttempts: 1 });
      return until('the key is refused', () => refusal('InvalidClientTokenId', () => sts.send(new GetCallerIdentityCommand({}))), 30);
    },
  },
  {
    id: 'two-keys',
    asks: 'a user can have two access keys and no third',
    async run(lab: Lab) {
      const iam = new IAMClient({ maxAttempts: 1 });
      const { name: UserName } = await lab.user('two-keys');
      await iam.send(new CreateAccessKeyCommand({ UserName }));
      return refusal('LimitExceeded', () => iam.send(new CreateAccessKeyCommand({ UserName })));
    },
  },
] as const satisfies readonly Trial[];

/** The name of the refusal, when it is the one expected. */
async function refusal(expected: string, work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    const { name } = error as Error;
    if (name.startsWith(expected)) return name;
    throw new Error(`refused with ${name} instead of ${expected}`);
  }
  throw new Error('nothing was refused');
}

/** A key that was just made takes AWS some seconds. */
async function works(credentials: Credentials): Promise<void> {
  const sts = new STSClient({ credentials, maxAttempts: 1 });
  await until('a new access key works', async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn, 30);
}

async function whoUrl(lab: Lab): Promise<string> {
  const { ApiUrl = '' } = await lab.outputs;
  return `${reachableUrl(ApiUrl)}/who`;
}

function post(url: string, as: Credentials) {
  return signed({ service: 'execute-api', url, body: '{}', headers: { 'content-type': 'application/json' }, as });
}

async function asked(lab: Lab, suffix: string): Promise<{ readonly node: string; readonly asked: string }> {
  const { name: UserName, credentials } = await lab.user(suffix);
  const Statement = [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await new IAMClient({}).send(new PutUserPolicyCommand({ UserName, PolicyName: 'ask', PolicyDocument }));
  const url = await whoUrl(lab);
  const answer = async () => {
    const { status, text } = await post(url, credentials);
    if (status !== 200) throw new Error(`HTTP ${status}: ${text.slice(0, 100)}`);
    return JSON.parse(text) as { node: string; asked: string };
  };
  return until('the function answers', answer, 30);
}
