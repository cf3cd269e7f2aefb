import { describe, expect, it } from 'vitest';
import { findVersion, getKey } from '../../core/items.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { again, type Story, stories, tell } from '../support/stories.ts';
import type { World } from '../support/world.ts';

const named = (name: string): Story => {
  const story = stories[name];
  if (!story) throw new Error(`there is no story ${name}`);
  return story;
};

/** Tells the story once for each of its boundaries, with something else happening right before that very call is made. */
async function atEveryBoundary(story: Story, act: (w: World, keyId: string) => Promise<unknown>, ends: Story['ends']): Promise<string[]> {
  const { calls } = await tell(story, null);
  const wrong: string[] = [];
  const told: Story = { ...story, ends, noRefusals: false };
  for (let at = 1; at <= calls.length; at++) {
    await tell(told, { kind: 'meanwhile', at }, (w, { id }) => act(w, id)).catch((error: Error) =>
      wrong.push(`${at} ${calls[at - 1]}: ${error.message.split('\n').slice(0, 8).join(' | ')}`),
    );
  }
  return wrong;
}

const revokeAll = (requestId: string) => (w: World, keyId: string) =>
  again(() => revoke(w.ports, { keyId, scope: 'all', reason: 'leaked', source: 'repository', requestId }, 'responder'));

const endsRevoked: Story['ends'] = async (w, { id }) => {
  expect(await getKey(w.ports, id)).toMatchObject({ state: 'active', revocation: null, rotation: null });
};

describe('a revocation of every version, right before any one external write of', () => {
  it.each(['a rotation', 'the first issue', 'a rotation that cannot be verified'])(
    '%s, ends contained and reissued, with nothing revoked ever accepted again',
    async (name) => {
      expect(await atEveryBoundary(named(name), revokeAll('mid'), endsRevoked)).toEqual([]);
    },
    240_000,
  );

  it('another revocation, that may be in its reissue, ends contained and reissued', async () => {
    const ends: Story['ends'] = async (w, facts) => {
      await endsRevoked(w, facts);
      expect(await findVersion(w.ports, facts.id, 1)).toMatchObject({ compromised: true });
    };
    expect(await atEveryBoundary(named('a revocation of everything'), revokeAll('second'), ends)).toEqual([]);
  }, 240_000);
});

describe('a revocation of the old version only, right before any one external write of a rotation', () => {
  it('leaves the key on a clean version that every destination holds', async () => {
    const revokeOld = (w: World, keyId: string) =>
      again(() => revoke(w.ports, { keyId, scope: [1], reason: 'leaked', source: 'repository', requestId: 'old' }, 'responder'));
    const ends: Story['ends'] = async (w, facts) => {
      await endsRevoked(w, facts);
      expect(await findVersion(w.ports, facts.id, 1)).toMatchObject({ compromised: true });
    };
    expect(await atEveryBoundary(named('a rotation'), revokeOld, ends)).toEqual([]);
  }, 240_000);
});

describe('a request to roll back, right before any one external write of a rotation', () => {
  it('ends on the old version before the point of no return, and on the new one after it; no service is refused', async () => {
    const story = named('a rotation');
    const { calls } = await tell(story, null);
    const wrong: string[] = [];
    for (let at = 1; at <= calls.length; at++) {
      const ends: Story['ends'] = async (w, { id }) => expect((await getKey(w.ports, id)).state).toBe('active');
      await tell({ ...story, ends }, { kind: 'meanwhile', at }, (w, { id }) =>
        requestRollback(w.ports, { keyId: id, reason: 'test' }, 'owner').catch((error: Error) => {
          if (error.name !== 'Refused') throw error;
        }),
      ).catch((error: Error) => wrong.push(`${at} ${calls[at - 1]}: ${error.message.split('\n').slice(0, 8).join(' | ')}`));
    }
    expect(wrong).toEqual([]);
  }, 240_000);
});
