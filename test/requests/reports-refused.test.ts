import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findVersion, getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Policy } from '../../core/policy.ts';
import { releaseReports, takeReports } from '../../core/reports/batch.ts';
import { listQueued, senderBudget } from '../../core/reports/budget.ts';
import type { ReportCounts, Taken } from '../../core/reports/report.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { answer } from '../../requests/answer.ts';
import { bodyBytes } from '../../requests/body.ts';
import { receiveReport } from '../../requests/senders/receive.ts';
import type { Message } from '../../requests/senders/sender.ts';
import { fleet } from '../support/fleet.ts';
import { end, revokes } from '../support/operations.ts';
import { genericEvent, githubAlert, githubPartnerAlert, githubPartnerKeys, githubSecret } from '../support/samples.ts';
import { adopted, services, testFacts, testPolicy, type World, type WorldOptions, world } from '../support/world.ts';

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
const _reportAs = (name: string, input: object) =>
  answer(w.ports, name, input, { actor: 'ada', via: 'operate' }) as Promise<ReportCounts & { taken: Taken[] }>;
/** What the vendor’s own log and console say of the first version. */
const vendorRefuses = () => !w.provider.accepts('cred-0001');

describe('what cannot be believed', () => {
  it('row 60: a wrong signature, an unknown sender or key, or none is refused with one and the same answer, before the body is read', async () => {
    const value = await textOf();
    const good = githubAlert(value);
    const { 'x-hub-signature-256': _signature, ...unsigned } = good.headers as Record<string, string>;
    const bad: [string, Message][] = [
      ['github', githubAlert(value, { signedWith: 'another secret' })],
      ['github', { ...good, headers: unsigned }],
      ['github', { ...good, raw: Buffer.concat([good.raw, Buffer.from(' ')]) }],
      ['github', { raw: Buffer.from('{'), headers: good.headers }],
      ['github-partner', githubPartnerAlert([value], { identifier: 'ffff' })],
      ['github-partner', githubPartnerAlert([value], { identifier: '__proto__' })],
      ['github-partner', githubPartnerAlert([value], { raw: Buffer.from(`[{"token":"${value}"}]`) })],
      ['event', event({ id: '1' }, { sender: 'nobody' })],
      ['event', event({ id: '1' }, { secret: 'wrong' })],
      ['event', event({ id: '1' }, { sender: '../github' })],
    ];
    const said = new Set<string>();
    for (const [name, message] of bad) {
      const refused = await send(name, message).then(
        () => 'taken',
        (error: Error & { code?: string }) => `${error.code} ${error.message}`,
      );
      said.add(refused);
      expect(refused).not.toContain(value);
    }
    expect([...said]).toEqual([expect.stringMatching(/^E_CREDENTIALS the signature does not hold/)]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', revocation: null });
  });

  it('row 64: an old or a future time is refused where a time is signed, and an event that comes twice or out of order has no wrong effect', async () => {
    const body = { id: 'x-1', source: 'suspicious-use', subject: { keyId }, says: 'odd' };
    for (const lateSeconds of [3 * 86_400, 600, -600])
      await expect(send('event', event(body, { lateSeconds }))).rejects.toMatchObject({ code: 'E_CREDENTIALS' });
    expect(await send('event', event(body, { lateSeconds: 100 }))).toMatchObject({ acted: 1 });
    expect(await send('event', event(body))).toMatchObject({ acted: 0, repeated: 1 });
    expect((await taken()).length).toBe(1);
  });

  it('row 60, row 68: a body beyond 256 KiB is refused before its signature is tried, and one that is no message by its fields', async () => {
    const large = { raw: Buffer.alloc(bodyBytes + 1, 0x20), headers: {} };
    await expect(send('github', large)).rejects.toMatchObject({ code: 'E_TOO_LARGE' });
    const bodies = [
      {},
      { id: 'a b', source: 'leak', subject: { keyId }, says: 'x' },
      { id: '1', source: 'departure', subject: { keyId }, says: 'x' },
      { id: '1', source: 'leak', subject: { person: 'ada' }, says: 'x' },
      { id: '1', source: 'leak', subject: { keyId }, says: 'x', confidence: 'verified' },
      { id: '1', source: 'leak', subject: { keyId, more: 1 }, says: 'x' },
    ];
    for (const body of bodies) await expect(send('event', event(body))).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    await expect(send('nobody', large)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('never revokes by itself when nobody verified it, whatever the policy says', async () => {
    await end(w);
    const all = { confidence: ['verified', 'reported', 'unverified'], tiers: ['high', 'medium', 'low'] } as const;
    const policy = {
      ...(await import('../support/world.ts')).testPolicy,
      triggers: [{ source: ['leak', 'suspicious-use'] as const, does: 'revoke' as const, ...all }],
    };
    await start({ ...pattern, policy });
    const body = { id: 'u-1', source: 'leak', subject: { keyId }, says: 'somebody said so', confidence: 'unverified' };
    expect(await send('event', event(body))).toMatchObject({ acted: 1 });
    expect(vendorRefuses()).toBe(false);
    expect((await taken())[0]?.detail).toMatchObject({ did: 'case', because: expect.stringContaining('nobody verified it') });
  });

  it('row 60: ten thousand reports in many messages end no more keys than the sender’s budget; the rest waits, and a responder is not slowed down', async () => {
    await end(w);
    const f = await fleet(senderBudget.keys + 30);
    w = f.w;
    const values = await Promise.all(f.ids.map((id) => textOf(1, id)));
    const [mine = ''] = values.splice(-1);
    const tokens = Array.from({ length: 10_000 }, (_, i) => values[Math.floor(i / 120)] ?? `nobody-s-${i}`);
    const totals = { received: 0, matched: 0, unknown: 0, queued: 0, acted: 0 };
    for (let i = 0; i < tokens.length; i += 1000) {
      const counts = await send('github-partner', githubPartnerAlert(tokens.slice(i, i + 1000)));
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name];
    }
    expect(totals).toMatchObject({ received: 10_000, matched: 79 * 120, unknown: 10_000 - 79 * 120 });
    const ended = (id: string) =>
      !f
        .vendor(id)
        .credentials()
        .some(({ enabled }) => enabled);
    expect(f.ids.filter(ended)).toHaveLength(senderBudget.keys);
    const waiting = await listQueued(w.ports);
    expect(new Set(waiting.map((one) => one.keyId)).size).toBe(79 - senderBudget.keys);
    expect(JSON.stringify(waiting)).not.toContain('mem_canary');
    const single = f.ids.at(-1) ?? '';
    expect(mine).not.toBe('');
    expect(await revokes(w, single)).toMatchObject({ versions: [{ firstDisable: 'disabled' }] });
    const { taken: released } = await releaseReports(w.ports, { sender: 'github-partner' }, 'responder');
    expect(released.length).toBe(waiting.length);
    expect(f.ids.filter(ended)).toHaveLength(80);
    expect(await listQueued(w.ports)).toEqual([]);
  }, 60_000);
});

describe('a leak that comes while its key is being ended', () => {
  it('is no repetition: the version that a revocation of everything is issuing is revoked as well', async () => {
    await revokes(w, keyId, { scope: 'all', source: 'repository' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.step === 'verify');
    const next = (await findVersion(w.ports, keyId, 2))?.credentialId ?? '';
    expect(w.provider.accepts(next)).toBe(true);
    expect(await send('github', githubAlert(await textOf(2)))).toMatchObject({ matched: 1, acted: 1 });
    expect(w.provider.accepts(next)).toBe(false);
  });

  it.each([
    ['lay nobody knows where', { where: 'unknown' as const, confidence: 'verified' as const }],
    ['is one that the policy contains', { where: 'repository' as const, confidence: 'reported' as const }],
  ])('and %s holds the reissue, although what it names is being ended already', async (_, more) => {
    await end(w);
    const triggers: Policy['triggers'] = [
      { source: ['leak'], confidence: ['reported'], tiers: ['high', 'medium', 'low'], does: 'contain' },
      ...testPolicy.triggers,
    ];
    await start({ ...pattern, policy: { ...testPolicy, triggers } });
    await send('github', githubAlert(await textOf()));
    const subject = { provider: 'memory', credentialId: 'cred-0001' };
    const report = { source: 'leak' as const, sender: 'dlp', subject, own: false, says: 'found', evidence: '', at: '' };
    const hand = (eventId: string) => takeReports(w.ports, [{ ...report, ...more, eventId }], { actor: 'sender:dlp', budget: true });
    await hand('first');
    expect(await hand('second')).toMatchObject({ taken: [{ did: 'joined' }] });
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    expect((await getKey(w.ports, keyId)).revocation).toMatchObject({ held: true, requests: { length: 2 } });
  });
});
