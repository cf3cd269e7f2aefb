import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getBulk, listBulks } from '../../core/bulk/bulk.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { takeReports } from '../../core/reports/batch.ts';
import type { ReportCounts, Taken } from '../../core/reports/report.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { history } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { Value } from '../../core/value.ts';
import { answer } from '../../requests/answer.ts';
import { awsReports } from '../../requests/senders/aws.ts';
import { receiveReport } from '../../requests/senders/receive.ts';
import { readScan } from '../../requests/senders/scanners.ts';
import type { Message } from '../../requests/senders/sender.ts';
import { fleet } from '../support/fleet.ts';
import { end, passInflight, revokes, untilIdle } from '../support/operations.ts';
import {
  awsHealthEvent,
  genericEvent,
  githubAlert,
  githubPartnerAlert,
  githubPartnerKeys,
  githubSecret,
  gitleaksReport,
  guardDutyFinding,
  trufflehogReport,
} from '../support/samples.ts';
import { adopted, consumerNamed, services, testFacts, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
const pattern = { provider: { traits: { secretPattern: '^mem_canary_[0-9a-z_]+$' } } };
async function start(options: WorldOptions = pattern, facts: KeyFacts = testFacts()): Promise<void> {
  w = world(options);
  keyId = await adopted(w, facts);
  services(w, facts);
}
beforeEach(() => start());
afterEach(() => end(w));

const secrets: Readonly<Record<string, string>> = {
  github: githubSecret,
  'github-partner': githubPartnerKeys,
  'event-hr': 'hr’s own secret',
};
const secretOf = async (name: string) => (Object.hasOwn(secrets, name) ? new Value(secrets[name] ?? '') : undefined);
const send = (name: string, message: Message): Promise<ReportCounts> => receiveReport(w.ports, secretOf, name, message);
const textOf = async (number = 1, of = keyId): Promise<string> =>
  (await w.ports.secrets.read(of, (await findVersion(w.ports, of, number))?.token ?? ''))?.reveal() ?? '';
const event = (body: object, more: object = {}) => genericEvent(body, { nowMs: w.ports.clock.now(), ...more });
const taken = async (of = keyId) => (await history(w.ports, of)).filter((entry) => entry.event === 'report.taken');
const reportAs = (name: string, input: object) =>
  answer(w.ports, name, input, { actor: 'ada', via: 'operate' }) as Promise<ReportCounts & { taken: Taken[] }>;
/** What the vendor’s own log and console say of the first version. */
const vendorRefuses = () => !w.provider.accepts('cred-0001');

describe('POL-F2 POL-I1 POL-P3 POL-W1: a leak that is reported', () => {
  it('by GitHub’s secret scanning is revoked: the version of that value, and no other', async () => {
    expect(await send('github', githubAlert(await textOf()))).toEqual({
      received: 1,
      matched: 1,
      unknown: 0,
      repeated: 0,
      acted: 1,
      queued: 0,
    });
    expect(vendorRefuses()).toBe(true);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    const [entry] = await taken();
    expect(entry).toMatchObject({
      actor: 'sender:github',
      detail: {
        sender: 'github',
        did: 'revoke',
        where: 'repository',
        confidence: 'verified',
        versions: '1',
        evidence: expect.stringContaining('/secret-scanning/42'),
      },
    });
    const requested = (await history(w.ports, keyId)).find((one) => one.event === 'revocation.requested');
    expect(requested).toMatchObject({
      actor: 'sender:github',
      detail: { source: 'repository', reason: expect.stringContaining('octo-org/app') },
    });
  });

  it('by GitHub’s partner programme is revoked, and strangers’ tokens in the same message are counted and touch nothing', async () => {
    const counts = await send('github-partner', githubPartnerAlert(['nobody-s-token-1', await textOf(), 'nobody-s-token-2']));
    expect(counts).toMatchObject({ received: 3, matched: 1, unknown: 2, acted: 1 });
    expect(vendorRefuses()).toBe(true);
    expect(await listReviews(w.ports, {})).toEqual([]);
  });

  it('by AWS Health is revoked by the access key’s id, and one that is only suspected opens a case', async () => {
    const takes = (given: unknown) => takeReports(w.ports, awsReports(given, '123456789012'), { actor: 'sender:aws', budget: true });
    const id = 'AKIAIOSFODNN7EXAMPLE'.replace('EXAMPLE', 'EXAMPLA'.replaceAll(/[^A-Z2-7]/g, 'A'));
    await w.ports.inventory.write([{ do: 'put', item: { pk: `CRED#aws-iam#${id}`, sk: 'CRED', keyId, version: 1 } }]);
    expect(await takes(awsHealthEvent(id, 'AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED'))).toMatchObject({ taken: [{ did: 'case' }] });
    expect(vendorRefuses()).toBe(false);
    expect(await listReviews(w.ports, { keyId })).toMatchObject([{ kind: 'trigger', cause: expect.stringContaining('aws-health') }]);
    expect(await takes(awsHealthEvent(id))).toMatchObject({ taken: [{ keyId, versions: [1], did: 'revoke' }] });
    expect(vendorRefuses()).toBe(true);
    expect(() => awsReports(awsHealthEvent(id, 'AWS_RISK_CREDENTIALS_EXPOSED', '999999999999'), '123456789012')).toThrow(
      expect.objectContaining({ code: 'E_WRONG_ACCOUNT' }),
    );
  });

  it.each([
    ['Gitleaks', (value: string) => gitleaksReport('nobody-s', value)],
    ['TruffleHog', (value: string) => trufflehogReport(value)],
  ])('POL-M4: by %s, handed in by somebody with an identity of ours, is revoked because its value is known', async (_, made) => {
    const { scanner, findings } = readScan(made(await textOf()));
    const counts = await reportAs('report.findings', { scanner, findings });
    expect(counts).toMatchObject({ matched: 1, acted: 1, taken: [{ keyId, versions: [1], did: 'revoke' }] });
    expect(vendorRefuses()).toBe(true);
    expect(JSON.stringify(counts)).not.toContain(await textOf());
  });

  it.each(['repository', 'log', 'ticket', 'chat'] as const)(
    'in a %s, by a system of its own that signs what it sends, is revoked',
    async (where) => {
      const body = { id: 'dlp-1', source: 'leak', subject: { leaked: await textOf() }, says: 'found by the scanner', where };
      expect(await send('event', event(body))).toMatchObject({ matched: 1, acted: 1 });
      expect(vendorRefuses()).toBe(true);
      expect((await taken())[0]?.detail).toMatchObject({ sender: 'hr', where, did: 'revoke' });
    },
  );

  it('and that nobody knows touches nothing; where it lay in our own place and looks like a vendor’s, somebody is asked whose it is', async () => {
    expect(await send('github', githubAlert('mem_canary_unknown_1'))).toMatchObject({ matched: 0, unknown: 1, acted: 0 });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active' });
    const reviews = await listReviews(w.ports, {});
    expect(reviews).toMatchObject([{ kind: 'trigger', subject: { kind: 'provider', id: 'memory' } }]);
    expect(JSON.stringify([reviews, w.inventory.items()])).not.toContain('mem_canary_unknown_1');
    await send('github', githubAlert('nothing like a value'));
    expect(await listReviews(w.ports, {})).toHaveLength(1);
  });

  it('and that nobody knows, of a shape that ids have too, is somebody’s case only where the scanner’s rule names the vendor', async () => {
    await end(w);
    const aliases = { gitleaks: ['sandbox-api-key'] };
    await start({ provider: { traits: { secretPattern: '^[0-9a-f]{32}$', commonShape: true }, aliases } });
    const one = '0f'.repeat(16);
    await send('github', githubAlert(one));
    expect(await listReviews(w.ports, {})).toEqual([]);
    await reportAs('report.findings', readScan(gitleaksReport(one)));
    expect(await listReviews(w.ports, {})).toMatchObject([{ kind: 'trigger', subject: { kind: 'provider', id: 'memory' } }]);
  });

  it('row 61: and whose version is proven dead is put on record, and changes nothing else', async () => {
    const value = await textOf();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const { fence: before } = await getKey(w.ports, keyId);
    await send('github', githubAlert(value));
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, revocation: null });
    expect((await getKey(w.ports, keyId)).fence).toBeLessThanOrEqual(before + 1);
    expect((await taken())[0]?.detail).toMatchObject({ did: 'dead already' });
  });

  it('row 62: and is meant to be public is put on record only', async () => {
    await end(w);
    await start(pattern, testFacts({ publishable: true }));
    expect(await send('github', githubAlert(await textOf()))).toMatchObject({ matched: 1, acted: 0 });
    expect(vendorRefuses()).toBe(false);
    expect((await taken())[0]?.detail).toMatchObject({ did: 'record', because: 'the key is meant to be public' });
  });

  it('INV-16: of an old version touches that version only, and the same report again changes nothing at all', async () => {
    const old = await textOf();
    await answer(w.ports, 'rotate', { keyId, reason: 'test' }, { actor: 'ada', via: 'operate' });
    await untilIdle(w, keyId);
    await send('github', githubAlert(old));
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'live', compromised: false });
    const before = (await history(w.ports, keyId)).length;
    expect(await send('github', githubAlert(old))).toMatchObject({ matched: 1, repeated: 1, acted: 0 });
    expect(await history(w.ports, keyId)).toHaveLength(before);
  });
});

describe('POL-I5 POL-W1: suspicious use', () => {
  it('of a key of medium tier rotates it, and of a high one that is verified contains it, its reissue held', async () => {
    await passInflight(w);
    await send('event', event({ id: 's-1', source: 'suspicious-use', subject: { keyId }, says: 'a new country' }));
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'rotating',
      rotation: { reason: expect.stringMatching(/suspicious use/) },
    });
    await end(w);
    await start(
      pattern,
      testFacts({
        environment: 'production',
        destinations: testFacts().destinations.map((one) => ({ ...one, environment: 'production' })),
      }),
    );
    await reportAs('report.event', { event: { id: 's-2', source: 'suspicious-use', subject: { keyId }, says: 'a new country' } });
    expect(vendorRefuses()).toBe(true);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
  });

  it('that GuardDuty found is rotated by the access key’s id; a low finding, and a temporary key, are nobody’s case', async () => {
    const id = 'AKIAAAAABBBBCCCCDDDD';
    await w.ports.inventory.write([{ do: 'put', item: { pk: `CRED#aws-iam#${id}`, sk: 'CRED', keyId, version: 1 } }]);
    await passInflight(w);
    const takes = (given: unknown) => takeReports(w.ports, awsReports(given, '123456789012'), { actor: 'sender:aws', budget: true });
    expect(await takes(guardDutyFinding(id, 2))).toMatchObject({ received: 0 });
    expect(await takes(guardDutyFinding('ASIAAAAABBBBCCCCDDDD'))).toMatchObject({ received: 0 });
    expect(await takes(guardDutyFinding(id))).toMatchObject({ taken: [{ did: 'rotate' }] });
  });
});

describe('POL-I2 POL-P6: somebody who leaves', () => {
  it('leaves no key of theirs without an owner; what they owned or could read is rotated and looked at; nothing is revoked', async () => {
    await end(w);
    w = world(pattern);
    const facts = (id: string, more: Partial<KeyFacts>) =>
      testFacts({
        id,
        exclusive: false,
        consumers: [],
        destinations: [{ id: 'a', kind: 'memory', at: id, environment: 'staging' }],
        ...more,
      });
    keyId = await adopted(w, facts('team/owned', { owner: 'ada', team: 'team-payments' }));
    await passInflight(w);
    const body = { id: 'left-ada', source: 'departure', subject: { person: 'ada' }, says: 'ada left on 5 January' };
    const preview = await answer(w.ports, 'report.preview', { event: body }, { actor: 'ada', via: 'operate' });
    expect(preview).toMatchObject([{ keyId, as: 'owner', does: 'rotate' }]);
    expect(await send('event', event(body))).toMatchObject({ matched: 1, acted: 1 });
    expect(await getKey(w.ports, keyId)).toMatchObject({ facts: { owner: 'team-payments' }, rotation: { reason: 'departure' } });
    expect(vendorRefuses()).toBe(false);
    expect(await listReviews(w.ports, { keyId })).toMatchObject([{ kind: 'departure', cause: expect.stringContaining('ada owned it') }]);
    expect((await history(w.ports, keyId)).find((one) => one.event === 'key.owner-changed')?.detail).toMatchObject({
      from: 'ada',
      to: 'team-payments',
    });
  });

  it('could read a key: it is rotated, and its owner is asked', async () => {
    await end(w);
    await start(pattern, testFacts({ readers: ['ada', 'bob'] }));
    await passInflight(w);
    await send('event', event({ id: 'left-ada', source: 'departure', subject: { person: 'ada' }, says: 'ada left' }));
    expect(await getKey(w.ports, keyId)).toMatchObject({ facts: { owner: 'team-payments' }, rotation: { reason: 'departure' } });
    expect(await listReviews(w.ports, { keyId, kind: 'departure' })).toHaveLength(1);
  });
});

describe('POL-I3 POL-P6: the end of a vendor', () => {
  it('contains every key there, with no new one issued by itself; many of them as one incident with one list of proofs', async () => {
    await end(w);
    const f = await fleet(30);
    w = f.w;
    const order = { id: 'contract-1', source: 'vendor-end', subject: { vendor: 'memory' }, says: 'the contract ended' };
    const counts = await reportAs('report.event', { event: order });
    expect(counts).toMatchObject({ matched: 1, acted: 30 });
    const [bulk] = await listBulks(w.ports);
    await w.until(async () => (await getBulk(w.ports, bulk?.id ?? '')).phase === 'done', 900);
    for (const id of f.ids) expect(await getKey(w.ports, id)).toMatchObject({ state: 'contained' });
    await w.until(async () => (await getKey(w.ports, f.ids[29] ?? '')).revocation?.held === true);
    expect(f.calls.filter(({ call }) => call === 'create')).toEqual([]);
    await reportAs('report.event', { event: order });
    expect(await listBulks(w.ports)).toHaveLength(1);
  });
});

describe('POL-I4: a system that was reconfigured or moved', () => {
  it('has the keys that it uses rotated, with the reason migration, and no others', async () => {
    await end(w);
    await start(pattern, testFacts({ consumers: [consumerNamed('checkout')] }));
    await passInflight(w);
    await send('event', event({ id: 'move-1', source: 'system-change', subject: { service: 'somebody-else' }, says: 'moved' }));
    expect((await getKey(w.ports, keyId)).rotation).toBeNull();
    await send(
      'event',
      event({ id: 'move-2', source: 'system-change', subject: { service: 'checkout' }, says: 'moved to another region' }),
    );
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rotating', rotation: { reason: 'migration' } });
  });

  it('waits for what stands in the way, and is not forgotten', async () => {
    await answer(w.ports, 'rotate', { keyId, reason: 'another one' }, { actor: 'ada', via: 'operate' });
    await untilIdle(w, keyId);
    await send('event', event({ id: 'move-3', source: 'system-change', subject: { keyId }, says: 'moved' }));
    expect((await getKey(w.ports, keyId)).dueNow).toMatchObject({ cause: 'migration', at: expect.any(String) });
    await w.pass(60);
    expect((await sweep(w.ports, { tier: (await getKey(w.ports, keyId)).tier })).started).toEqual([keyId]);
    expect((await getKey(w.ports, keyId)).rotation?.reason).toBe('migration');
  });
});
