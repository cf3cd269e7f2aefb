import { getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { registerKey } from '../../core/register.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { adopted, testFacts, testSettings, type World } from './world.ts';

/** A story: what is set up before faults may strike, and what happens. */
export interface Story {
  readonly facts: KeyFacts;
  readonly setUp: (w: World, facts: KeyFacts) => Promise<void>;
  readonly happen: (w: World, facts: KeyFacts) => Promise<void>;
}

const again = async (work: () => Promise<unknown>) => {
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
  },
  'the first issue': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await registerKey(w.ports, facts, 'test')),
    happen: (w, { id }) => again(() => beginRotation(w.ports, { keyId: id, reason: 'test', trigger: 't1' }, 'test')),
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
  },
  'a revocation of everything': {
    facts: testFacts(),
    setUp: async (w, facts) => void (await adopted(w, facts)),
    happen: (w, { id }) =>
      again(() => revoke(w.ports, { keyId: id, scope: 'all', reason: 'test', source: 'repository', requestId: 'r1' }, 'test')),
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
  },
};
