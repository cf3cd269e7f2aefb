import { afterEach, describe, expect, it } from 'vitest';
import { showCertificates } from '../../core/certificate.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { Verdict } from '../../core/ports.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

const policy = { ...testPolicy, watchSeconds: [60, 300, 900] };

async function activeKey(options: WorldOptions = {}): Promise<void> {
  w = world({ policy, ...options });
  keyId = await adopted(w);
  services(w, testFacts());
}

const events = async (name: string) => (await history(w.ports, keyId)).filter(({ event }) => event === name);
const certificate = async (number = 1) => (await showCertificates(w.ports, keyId)).certificates.find(({ version }) => version === number);
const contained = () => w.until(async () => (await getKey(w.ports, keyId)).state !== 'revoking');

describe('a death certificate', () => {
  it('says what was tried, when, with what answer, by whom, what the list says, and that sessions and strangers were looked at', async () => {
    await activeKey({ provider: { revokeSeconds: 4 } });
    const from = w.ports.clock.now();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const seen = await certificate();
    expect(seen).toMatchObject({
      keyId,
      version: 1,
      provider: 'memory',
      credential: '…0001',
      proof: expect.stringMatching(/^refused \d+ times in a row$/),
      listed: 'disabled',
      by: 'step:validate',
      strangers: 0,
      watched: [],
    });
    expect(seen?.tried.alive).toBeGreaterThan(0);
    expect(seen?.row.count).toBeGreaterThanOrEqual(3);
    expect(Date.parse(seen?.row.from ?? '') - from).toBeGreaterThanOrEqual(4000);
    expect(Date.parse(seen?.deadAt ?? '')).toBeGreaterThanOrEqual(Date.parse(seen?.row.to ?? ''));
    expect(Date.parse(seen?.sessionsEndedAt ?? '')).toBeGreaterThan(from);
    expect(seen?.nextLooks).toHaveLength(1);
    // Its probes at the provider are the ones in the provider's own log.
    const tried = w.provider.log.filter(({ at, credentialId }) => credentialId === 'cred-0001' && at > from);
    expect(tried.length).toBeGreaterThanOrEqual((seen?.tried.denied ?? 0) + (seen?.tried.alive ?? 0));
  });

  it('is written for what a rotation retires and for what a rollback ends as well', async () => {
    await activeKey();
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await certificate()).toMatchObject({
      version: 1,
      operationId: expect.stringMatching(/^rotate-/),
      by: 'step:retire',
      nextLooks: [],
    });
  });

  it('has no value and no whole id of the vendor in it', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(JSON.stringify(await showCertificates(w.ports, keyId))).not.toMatch(/mem_canary|cred-0001/);
  });
});

describe('a revoked version is tried again after its death', () => {
  it('at each interval of the policy and not after that; each look is on its certificate', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const deadAt = Date.parse((await certificate())?.deadAt ?? '');
    await w.pass(1000);
    const seen = await certificate();
    expect(seen?.watched).toMatchObject([
      { verdict: 'denied', listed: 'disabled', by: 'reconciler' },
      { verdict: 'denied', listed: 'disabled' },
      { verdict: 'denied' },
    ]);
    seen?.watched.forEach(({ at }, i) => {
      expect(Date.parse(at) - deadAt).toBeGreaterThanOrEqual((policy.watchSeconds[i] ?? 0) * 1000);
      expect(Date.parse(at) - deadAt).toBeLessThan(((policy.watchSeconds[i] ?? 0) + 30) * 1000);
    });
    expect(seen?.nextLooks).toEqual([]);
    expect(await events('version.still-dead')).toHaveLength(3);
    const looks = w.provider.log.filter(({ credentialId, at }) => credentialId === 'cred-0001' && at > deadAt);
    expect(looks.filter(({ accepted }) => accepted)).toEqual([]);
  });

  it('also while the key is rotated, and costs nothing when nothing is due', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(15);
    await beginsRotation(w, keyId, 'during');
    await untilStep(w, keyId, 'confirm');
    await w.pass(45);
    expect((await certificate())?.watched.length).toBeGreaterThanOrEqual(1);
  });

  it('and one that is accepted again, though the provider lists it as disabled, opens the incident by itself until it is dead once more', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const { probe } = w.provider;
    let haunted = true;
    w.provider.probe = async (subject, value) => {
      const answer = await probe(subject, value);
      const own = w.provider.log.at(-1)?.credentialId === 'cred-0001';
      return own && haunted ? { verdict: 'alive', detail: 'accepted after all' } : answer;
    };
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'revoking', 100);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.step === 'validate');
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', compromised: true, aliveAt: expect.any(String) });
    await w.pass(120);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', attention: { reason: 'ContainmentIncomplete' } });
    haunted = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', aliveAt: null });
    const seen = await certificate();
    expect(seen?.watched).toMatchObject([{ verdict: 'alive', answer: 'accepted after all' }]);
    expect(seen?.tried.alive).toBeGreaterThan(0);
    expect(await events('version.alive-again')).toHaveLength(1);
    const [, again] = await events('revocation.requested');
    expect(again).toMatchObject({ actor: 'reconciler', detail: { scope: '1', reason: expect.stringMatching(/accepted again/) } });
    // It is watched anew from its second death.
    await w.pass(70);
    expect((await certificate())?.watched).toHaveLength(2);
  });

  it('and one that somebody enabled in the vendor’s console is disabled at once, and its incident is open again', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    w.provider.enableInConsole('cred-0001');
    await w.until(async () => (await events('version.alive-again')).length > 0, 100);
    expect(w.provider.accepts('cred-0001')).toBe(false);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    expect((await events('revocation.contained')).length).toBe(2);
  });

  it('and while its key is contained and held, a revival raises the fence again and stays held', async () => {
    await activeKey();
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    const { fence } = await getKey(w.ports, keyId);
    w.provider.enableInConsole('cred-0001');
    await w.until(async () => (await events('version.alive-again')).length > 0, 100);
    await contained();
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect((await getKey(w.ports, keyId)).fence).toBeGreaterThan(fence);
    expect(w.provider.accepts('cred-0001')).toBe(false);
  });

  it('an answer that cannot be judged is asked for again, and counts for nothing', async () => {
    await activeKey();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const { probe } = w.provider;
    w.provider.probe = async () => ({ verdict: 'inconclusive', detail: '503' });
    await w.pass(120);
    expect((await certificate())?.watched).toEqual([]);
    w.provider.probe = probe;
    await w.pass(30);
    expect((await certificate())?.watched).toHaveLength(1);
  });
});

describe('death is declared neither early nor late', () => {
  const patterns: Record<string, (probe: number) => Verdict> = {
    'every answer is alive until the end': () => 'alive',
    'one answer in two is a refusal': (n) => (n % 2 ? 'alive' : 'denied'),
    'two refusals, then an acceptance': (n) => (n % 3 === 2 ? 'alive' : 'denied'),
    'ever longer runs of refusals': (n) => (n === 2 || n === 8 || (n >= 20 && (n - 20) % 12 === 0) ? 'alive' : 'denied'),
    'what cannot be judged in between': (n) => (n % 3 === 2 ? 'alive' : n % 3 ? 'inconclusive' : 'denied'),
  };
  const lateBySeconds: Readonly<Record<number, number>> = { 0: 20, 4: 90, 60: 150, 960: 150 };

  for (const [pattern, answer] of Object.entries(patterns)) {
    it.each([0, 4, 60, 960])(`with a propagation of %d s, when ${pattern}`, async (seconds) => {
      await activeKey({ provider: { traits: { probe: { alive: 2, denied: 3, everySeconds: 1 }, revokeSeconds: 60 } } });
      const { probe, disable } = w.provider;
      let refusedFrom = Number.POSITIVE_INFINITY;
      let count = 0;
      w.provider.disable = async (subject, id) => {
        if (id === 'cred-0001') refusedFrom = Math.min(refusedFrom, w.ports.clock.now() + seconds * 1000);
        return disable(subject, id);
      };
      w.provider.probe = async (subject, value) => {
        const honest = await probe(subject, value);
        const own = w.provider.log.at(-1)?.credentialId === 'cred-0001';
        return own && w.ports.clock.now() < refusedFrom ? { verdict: answer(count++), detail: 'on its way' } : honest;
      };
      await revokes(w, keyId);
      await contained();
      const declaredAt = Date.parse((await certificate())?.deadAt ?? '');
      expect(declaredAt).toBeGreaterThanOrEqual(refusedFrom);
      expect(declaredAt - refusedFrom).toBeLessThan((lateBySeconds[seconds] ?? 0) * 1000);
    });
  }
});
