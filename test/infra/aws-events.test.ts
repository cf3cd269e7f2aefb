import { IAMClient } from '@aws-sdk/client-iam';
import { afterEach, expect, test } from 'vitest';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { adoptVersion } from '../../core/adopt.ts';
import { registerKey } from '../../core/register.ts';
import { takeReports } from '../../core/reports/batch.ts';
import { Value } from '../../core/value.ts';
import { awsReports } from '../../requests/senders/aws.ts';
import { type FakeIam, fakeIam } from '../support/aws/iam-sts.ts';
import { clientSettings } from '../support/aws/server.ts';
import { end } from '../support/operations.ts';
import { awsHealthEvent, guardDutyFinding } from '../support/samples.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';
import { testFacts, type World, world } from '../support/world.ts';

const account = '123456789012';
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

test('POL-I1 POL-F2: an exposed access key comes in by the rule and ends in IAM’s own log, and the same event again does nothing', async () => {
  iam = await fakeIam(['robot']);
  const { endpoint } = iam;
  const provider = iamProvider({
    client: new IAMClient(clientSettings(endpoint)),
    sts: { endpoint, region: 'eu-central-1' },
    callSeconds: 5,
  });
  w = world({ reconciler: false, wrap: (ports) => ({ ...ports, provider: () => provider, providers: () => [provider.name] }) });
  const { accessKeyId: credentialId, secretAccessKey } = iam.addKey('robot');
  const facts = testFacts({ id: 'team/robot', provider: 'aws-iam', params: { userName: 'robot' } });
  const token = '00000000-0000-8000-a000-000000000001';
  await registerKey(w.ports, facts, 'test');
  await w.ports.secrets.put(facts.id, token, new Value(JSON.stringify({ accessKeyId: credentialId, secretAccessKey })));
  await adoptVersion(w.ports, { keyId: facts.id, token, credentialId }, 'test');
  const updates = () => iam?.calls.filter(({ action }) => action === 'UpdateAccessKey').map(({ input }) => input);

  const event = awsHealthEvent(credentialId);
  expect(passes(event)).toBe(true);
  const take = () => takeReports((w as World).ports, awsReports(event, account), { actor: 'sender:aws', budget: true });
  expect(await take()).toMatchObject({ received: 1, matched: 1, acted: 1, taken: [{ keyId: facts.id, versions: [1], did: 'revoke' }] });
  expect(updates()?.[0]).toMatchObject({ UserName: 'robot', AccessKeyId: credentialId, Status: 'Inactive' });
  expect(iam.keys).toMatchObject([{ accessKeyId: credentialId, active: false }]);
  const calls = updates()?.length;
  expect(await take()).toMatchObject({ repeated: 1, acted: 0 });
  expect(updates()).toHaveLength(calls ?? -1);
  expect(iam.enableCalls).toEqual([]);
});
