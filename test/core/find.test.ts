import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstBreak } from '../../core/audit.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { planRevocation } from '../../core/plan.ts';
import { registerKey } from '../../core/register.ts';
import { searchLeaked } from '../../core/revoke/find.ts';
import { disableUnmanaged, unmanagedHistory } from '../../core/revoke/unmanaged.ts';
import type { Value } from '../../core/value.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, consumerNamed, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const facts = testFacts({ consumers: [consumerNamed('api'), consumerNamed('batch')], exclusive: false });
beforeEach(async () => {
  w = world();
  keyId = await adopted(w, facts);
});
afterEach(() => end(w));

const textOf = async (number = 1): Promise<string> => {
  const value = (await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, number))?.token ?? '')) as Value;
  return value.reveal();
};

describe('a leaked string', () => {
  it('is answered with whose it is, who uses it, what shares its principal and what will break', async () => {
    await registerKey(w.ports, testFacts({ id: 'payments/sibling', exclusive: false }), 'test');
    const { match } = await searchLeaked(w.ports, await textOf());
    expect(match).toMatchObject({
      keyId,
      version: 1,
      by: 'fingerprint',
      owner: 'team-payments',
      tier: 'medium',
      environment: 'staging',
      provider: 'memory',
      keyState: 'active',
      contacts: ['oncall@example.test'],
      siblings: ['payments/sibling'],
      breaks: ['api (team-api)', 'batch (team-batch)'],
    });
    expect(match?.consumers.map(({ contact }) => contact)).toEqual(['api@example.test', 'batch@example.test']);
    expect(match?.would[0]).toMatch(/disable version 1/);
  });

  it('is found in one read of the index, and of the key only what is shown of it', async () => {
    const reads: string[] = [];
    const { get } = w.inventory;
    w.inventory.get = async (key) => {
      reads.push(key.pk.split('#')[0] ?? '');
      return get(key);
    };
    await searchLeaked(w.ports, await textOf());
    expect(reads.filter((kind) => kind === 'FP')).toHaveLength(1);
    expect(reads.filter((kind) => kind === 'CRED')).toHaveLength(0);
  });

  it('is found in a line of a settings file', async () => {
    expect((await searchLeaked(w.ports, `export API_KEY="${await textOf()}" # prod`)).match).toMatchObject({ keyId, version: 1 });
  });

  it('is found by the vendor’s own id where only that is known, for versions adopted and issued', async () => {
    services(w, facts);
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    for (const number of [1, 2]) {
      const id = (await findVersion(w.ports, keyId, number))?.credentialId ?? '';
      expect((await searchLeaked(w.ports, id)).match).toMatchObject({ keyId, version: number, by: 'credential id' });
    }
  });

  it('is found by that id also while fingerprints cannot be made, and the answer says what was not asked', async () => {
    const ports = {
      ...w.ports,
      fingerprint: async () => {
        throw new TypeError('no pepper');
      },
    };
    expect(await searchLeaked(ports, 'cred-0001')).toMatchObject({
      match: { keyId, by: 'credential id' },
      unasked: ['fingerprints: TypeError'],
    });
    expect(await searchLeaked(ports, await textOf())).toMatchObject({ match: null, unasked: ['fingerprints: TypeError'] });
  });

  it.each([
    ['the record of its principal', 'PRINCIPAL#', 'keys of the same principal: TypeError'],
    ['an adoption', `KEY#${facts.id} ADOPT#`, 'what will break: TypeError'],
  ])('is found although %s cannot be read, and the answer says so', async (_, broken, said) => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const text = await textOf();
    const { get } = w.inventory;
    w.inventory.get = async (key) => {
      if (`${key.pk} ${key.sk}`.startsWith(broken)) throw new TypeError('no answer');
      return get(key);
    };
    expect(await searchLeaked(w.ports, text)).toMatchObject({ match: { keyId, version: 1, owner: 'team-payments' }, unasked: [said] });
  });

  it('that nobody knows is answered with the provider whose values look like it', async () => {
    await end(w);
    w = world({ provider: { traits: { secretPattern: 'mem_[a-z0-9_]+' } } });
    expect(await searchLeaked(w.ports, 'key = mem_unknown_1')).toEqual({
      match: null,
      stranger: { looksLike: { surely: ['memory'], perhaps: [] }, credentialId: null, byValue: [] },
      unasked: [],
    });
    expect((await searchLeaked(w.ports, 'something else')).stranger).toEqual({
      looksLike: { surely: [], perhaps: [] },
      credentialId: null,
      byValue: [],
    });
  });
});

describe('POL-R3: what will break', () => {
  it('is everybody, where the version in use ends', async () => {
    expect((await planRevocation(w.ports, { keyId, scope: 'all' })).consumers).toEqual(['api (team-api)', 'batch (team-batch)']);
  });

  it('during an overlap: by the old version only who has not proved the move, and nobody knows for sure; it equals who then fails', async () => {
    const seen = services(w, facts, { stays: ['batch'], delaySeconds: 2 });
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await w.pass(10);
    const plan = await planRevocation(w.ports, { keyId, scope: [1] });
    expect(plan.consumers).toEqual(['batch (team-batch), perhaps']);
    expect((await planRevocation(w.ports, { keyId, scope: [2] })).consumers).toEqual(['api (team-api)', 'batch (team-batch), perhaps']);
    expect((await planRevocation(w.ports, { keyId, scope: 'all' })).consumers).toEqual(['api (team-api)', 'batch (team-batch)']);
    const before = seen.refused.length;
    await revokes(w, keyId, { scope: [1] });
    await w.pass(5);
    const failed = new Set(seen.refused.slice(before).map(({ service }) => service));
    expect([...failed]).toEqual(['batch']);
  });
});

describe('a credential that no key has', () => {
  const order = { provider: 'memory', account: 'default', params: {}, reason: 'in a public gist', requestId: 'request-1' };

  it('is refused by its provider on request, and who asked is on record in a chain of its own', async () => {
    const { credentialId, value } = w.provider.stranger();
    expect(w.provider.use(value)).toBe(true);
    expect(await disableUnmanaged(w.ports, { ...order, credentialId }, 'responder')).toEqual({ answer: 'disabled', recorded: true });
    expect(w.provider.use(value)).toBe(false);
    await disableUnmanaged(w.ports, { ...order, credentialId: 'no-such' }, 'responder');
    const entries = await unmanagedHistory(w.ports, 'memory');
    expect(entries).toMatchObject([
      {
        actor: 'responder',
        event: 'unmanaged.disabled',
        detail: { credential: credentialId, answer: 'disabled', reason: 'in a public gist' },
      },
      { detail: { credential: 'no-such', answer: 'gone' } },
    ]);
    expect(firstBreak(entries, entries.at(-1) ?? { seq: 0, hash: '' })).toBeNull();
  });

  it('is ended although it cannot be written down; the answer says so', async () => {
    const { credentialId } = w.provider.stranger();
    w.inventory.write = async () => {
      throw new TypeError('no answer');
    };
    expect(await disableUnmanaged(w.ports, { ...order, credentialId }, 'responder')).toEqual({ answer: 'disabled', recorded: false });
    expect(w.provider.accepts(credentialId)).toBe(false);
  });

  it('that the provider does not end is said so, and is on record as tried', async () => {
    w.provider.disable = async () => {
      throw new TypeError('no answer');
    };
    expect(await disableUnmanaged(w.ports, { ...order, credentialId: 'x' }, 'responder')).toMatchObject({
      answer: 'failed',
      detail: 'TypeError',
    });
    expect(await unmanagedHistory(w.ports, 'memory')).toMatchObject([{ detail: { answer: 'TypeError' } }]);
  });

  it('and belongs to a key after all is revoked as that key’s version', async () => {
    const ended = await disableUnmanaged(w.ports, { ...order, credentialId: 'cred-0001' }, 'responder');
    expect(ended).toMatchObject({ answer: 'disabled', revoked: { keyId, versions: [{ number: 1, firstDisable: 'disabled' }] } });
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    expect(await unmanagedHistory(w.ports, 'memory')).toEqual([]);
  });
});
