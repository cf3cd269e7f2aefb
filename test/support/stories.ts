import { expect } from 'vitest';
import { firstBreak } from '../../core/audit.ts';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { registerKey } from '../../core/register.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { history } from '../../core/show.ts';
import { type Faults, faults, type Strike } from './faults.ts';
import { adopted, services, testFacts, testSettings, type World, world } from './world.ts';

/** A story: what is set up before faults may strike, what happens, and how it must end besides what holds always. */
export interface Story {
  readonly facts: KeyFacts;
  readonly setUp: (w: World, facts: KeyFacts) => Promise<void>;
  readonly happen: (w: World, facts: KeyFacts) => Promise<void>;
  readonly ends: (w: World, facts: KeyFacts) => Promise<void>;
  /** A rotation never costs a service an answer; a revocation may, until the reissue. */
  readonly noRefusals: boolean;
}

export const again = async (work: () => Promise<unknown>) => {
  // A caller whose request failed asks again with the same request id.
  for (let i = 0; i < 3; i++) {
    const answer = Promise.race([
      work().then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), testSettings.functionSeconds * 1000)),
    ]);
    if (await answer.catch(() => false)) return;
  }
};

export const stories: Record<string, Story> = {
  'a rotation': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await adopted(w, facts)),
    happen: (w, { id }) => again(() => beginRotation(w.ports, { keyId: id, reason: 'test', trigger: 't1' }, 'test')),
    ends: async (w, { id }) => {
      const key = await getKey(w.ports, id);
      expect(key.state).toBe('active');
      expect(key.current).toBeGreaterThan(1);
    },
    noRefusals: true,
  },
  'the first issue': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await registerKey(w.ports, facts, 'test')),
    happen: (w, { id }) => again(() => beginRotation(w.ports, { keyId: id, reason: 'test', trigger: 't1' }, 'test')),
    ends: async (w, { id }) => expect(await getKey(w.ports, id)).toMatchObject({ state: 'active', current: 1 }),
    noRefusals: true,
  },
  'a rotation that cannot be verified': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await adopted(w, facts)),
    happen: async (w, { id }) => {
      const look = setInterval(async () => {
        const { state, rotation } = await getKey(w.ports, id);
        w.provider.mood = state === 'rotating' && rotation?.step === 'verify' ? 'accepts everything' : 'honest';
      }, 100);
      void look;
      await again(() => beginRotation(w.ports, { keyId: id, reason: 'test', trigger: 't1' }, 'test'));
    },
    ends: async (w, { id }) => {
      expect(await getKey(w.ports, id)).toMatchObject({ state: 'active', current: 1, attention: { reason: 'RolledBack' } });
      expect((await history(w.ports, id)).map(({ event }) => event)).toContain('rotation.rolled-back');
    },
    noRefusals: true,
  },
  'a revocation of everything': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await adopted(w, facts)),
    happen: (w, { id }) =>
      again(() => revoke(w.ports, { keyId: id, scope: 'all', reason: 'test', source: 'repository', requestId: 'r1' }, 'test')),
    ends: async (w, { id }) => {
      expect(await getKey(w.ports, id)).toMatchObject({ state: 'active', revocation: null });
      expect(await findVersion(w.ports, id, 1)).toMatchObject({ compromised: true });
    },
    noRefusals: false,
  },
  'a revocation of the old version while its rotation waits for proof': {
    facts: testFacts(),
    setUp: async (w, facts) => {
      await adopted(w, facts);
      await beginRotation(w.ports, { keyId: facts.id, reason: 'test', trigger: 't1' }, 'test');
      await w.until(async () => (await getKey(w.ports, facts.id)).rotation?.step === 'confirm');
    },
    happen: (w, { id }) =>
      again(() => revoke(w.ports, { keyId: id, scope: [1], reason: 'test', source: 'repository', requestId: 'r1' }, 'test')),
    ends: async (w, { id }) => {
      expect(await getKey(w.ports, id)).toMatchObject({ state: 'active', revocation: null, current: 2 });
      expect(await findVersion(w.ports, id, 1)).toMatchObject({ compromised: true });
      expect(await findVersion(w.ports, id, 2)).toMatchObject({ compromised: false });
    },
    noRefusals: false,
  },
  'a revocation of the new version while its rotation waits for proof': {
    facts: testFacts(),
    setUp: async (w, facts) => {
      await adopted(w, facts);
      await beginRotation(w.ports, { keyId: facts.id, reason: 'test', trigger: 't1' }, 'test');
      await w.until(async () => (await getKey(w.ports, facts.id)).rotation?.step === 'confirm');
    },
    happen: (w, { id }) =>
      again(() => revoke(w.ports, { keyId: id, scope: [2], reason: 'test', source: 'repository', requestId: 'r1' }, 'test')),
    ends: async (w, { id }) => {
      expect(await findVersion(w.ports, id, 2)).toMatchObject({ compromised: true });
      // The old version is clean: it is retired by proof, not by the revocation.
      expect(await findVersion(w.ports, id, 1)).toMatchObject({ compromised: false, role: 'none' });
      expect((await history(w.ports, id)).map(({ event }) => event)).toContain('rotation.done');
    },
    noRefusals: false,
  },
};

/** Tells the story once; returns how many boundaries it had. */
export async function tell(story: Story, strike: Strike | null, act?: (w: World, facts: KeyFacts) => Promise<unknown>): Promise<Faults> {
  // Longer than its function may take, shorter than the in-flight bound.
  const pauseSeconds = testSettings.functionSeconds + testSettings.settleSeconds - 1;
  const injected = faults(strike && { ...strike, act: async () => act?.(w, story.facts) }, pauseSeconds);
  const w = world({ wrap: injected.wrap });
  try {
    const { facts } = story;
    const seen = services(w, facts);
    await story.setUp(w, facts);
    const acceptedAfterAck: number[] = [];
    setInterval(async () => {
      for (const { compromised, credentialId, state } of await listVersions(w.ports, facts.id)) {
        const key = await getKey(w.ports, facts.id);
        const acked = state === 'disabled' || key.state === 'contained' || key.state === 'reissuing';
        if (compromised && acked && credentialId && w.provider.accepts(credentialId)) acceptedAfterAck.push(Date.now());
      }
    }, 500);
    injected.arm();
    let happened = false;
    void story.happen(w, facts).then(() => {
      happened = true;
    });
    const idle = async () => {
      if (!happened) return false;
      const key = await getKey(w.ports, facts.id);
      return key.state === 'active' && key.rotation === null && key.revocation === null && key.current !== null;
    };
    await w.until(idle);
    // Long enough for orphans to be found, and for late workers to wake up.
    await w.pass(150);
    await w.until(idle);
    await story.ends(w, facts);

    const key = await getKey(w.ports, facts.id);
    const versions = await listVersions(w.ports, facts.id);
    const current = versions.find(({ number }) => number === key.current);
    const enabled = (await w.provider.list({ keyId: facts.id, account: '', params: {} }))
      .filter((one) => one.enabled)
      .map((one) => one.credentialId);
    expect(enabled, 'the only enabled credential is the current version').toEqual([current?.credentialId]);
    expect(current).toMatchObject({ state: 'live', compromised: false, role: 'current' });
    const value = await w.ports.secrets.read(facts.id, current?.token ?? '');
    for (const spec of facts.destinations)
      expect(value && (await w.ports.destination(spec.kind).read(spec))?.equals(value), spec.id).toBe(true);
    expect((await w.ports.secrets.labels(facts.id))['AWSCURRENT']).toBe(current?.token);
    expect(acceptedAfterAck).toEqual([]);
    if (story.noRefusals) expect(seen.refused).toEqual([]);
    expect(firstBreak(await history(w.ports, facts.id), key.audit)).toBeNull();
    return injected;
  } finally {
    w.stop();
  }
}
