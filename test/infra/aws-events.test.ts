import { IAMClient } from '@aws-sdk/client-iam';
import { afterEach, expect, test, vi } from 'vitest';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { adoptVersion } from '../../core/adopt.ts';
import type { Ports } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { type FakeIam, fakeIam } from '../support/aws/iam-sts.ts';
import { clientSettings } from '../support/aws/server.ts';
import { end } from '../support/operations.ts';
import { awsHealthEvent, guardDutyFinding } from '../support/samples.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';
import { testFacts, type World, world } from '../support/world.ts';

let ports: Ports;
vi.mock('../../functions/compose.ts', async (original) => ({
  ...(await original<typeof import('../../functions/compose.ts')>()),
  compose: () => () => ports,
}));
const { handler } = await import('../../functions/aws-event.ts');

const account = '123456789012';
const invocation = {
  awsRequestId: '00000000-0000-4000-8000-000000000001',
  invokedFunctionArn: `arn:aws:lambda:eu-central-1:${account}:function:aws-event`,
};
const [rule] = readTemplate(testStack()).ofType('AWS::Events::Rule');
const pattern = JSON.parse(JSON.stringify(rule?.Properties.EventPattern)) as Record<string, unknown[]>;

/** Whether EventBridge would hand an event to the rule's target: each field of the pattern lists what the event may have there. */
const passes = (event: object): boolean =>
  Object.entries(pattern).every(([field, allowed]) =>
    allowed.map((one) => flat(one).replace('<AWS::AccountId>', account)).includes(String(Reflect.get(event, field))),
  );

test('the rule takes what AWS says of access keys in this account, and nothing that anybody else can send', () => {
  const exposed = awsHealthEvent('AKIAAAAABBBBCCCCDDDD');
  expect(passes(exposed)).toBe(true);
  expect(passes(guardDutyFinding('AKIAAAAABBBBCCCCDDDD'))).toBe(true);
  expect(passes({ ...exposed, account: '999999999999' })).toBe(false);
  // PutEvents refuses a source that begins with "aws." to everybody but AWS; ours, or none, is no way in.
  expect(passes({ ...exposed, source: 'rekey' })).toBe(false);
  expect(passes({ ...exposed, 'detail-type': 'AWS API Call via CloudTrail' })).toBe(false);
});

let w: World | undefined;
let iam: FakeIam | undefined;
afterEach(async () => {
  if (w) await end(w);
  await iam?.close();
});

/** A key of IAM's, and the events that the rule hands to the function, in whose own handler they come in. */
async function robot() {
  const service = await fakeIam(['robot']);
  iam = service;
  const { endpoint } = service;
  const provider = iamProvider({
    client: new IAMClient(clientSettings(endpoint)),
    sts: { endpoint, region: 'eu-central-1' },
    callSeconds: 5,
  });
  w = world({ reconciler: false, wrap: (bare) => ({ ...bare, provider: () => provider, providers: () => [provider.name] }) });
  ports = w.ports;
  const { accessKeyId: credentialId, secretAccessKey } = service.addKey('robot');
  const facts = testFacts({ id: 'team/robot', provider: 'aws-iam', params: { userName: 'robot' } });
  const token = '00000000-0000-8000-a000-000000000001';
  await registerKey(ports, facts, 'test');
  await ports.secrets.put(facts.id, token, new Value(JSON.stringify({ accessKeyId: credentialId, secretAccessKey })));
  await adoptVersion(ports, { keyId: facts.id, token, credentialId }, 'test');
  return {
    credentialId,
    service,
    updates: () => service.calls.filter(({ action }) => action === 'UpdateAccessKey').map(({ input }) => input),
    taken: async () => (await history(ports, facts.id)).filter(({ event }) => event === 'report.taken').map(({ detail }) => detail),
    take: async (event: object) => {
      expect(passes(event)).toBe(true);
      await handler(event, invocation);
    },
  };
}

test('POL-I1 POL-F2: an exposed access key comes in by the function’s own handler and ends in IAM’s own log, and the same event again does nothing', async () => {
  const { credentialId, service, updates, taken, take } = await robot();
  const event = awsHealthEvent(credentialId);
  await take(event);
  expect(await taken()).toMatchObject([{ did: 'revoke', versions: '1' }]);
  expect(updates()[0]).toMatchObject({ UserName: 'robot', AccessKeyId: credentialId, Status: 'Inactive' });
  expect(service.keys).toMatchObject([{ accessKeyId: credentialId, active: false }]);
  const calls = updates().length;
  await take(event);
  expect(await taken()).toHaveLength(1);
  expect(updates()).toHaveLength(calls);
  expect(service.enableCalls).toEqual([]);
});
