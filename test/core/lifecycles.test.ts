import { afterEach, describe, expect, it } from 'vitest';
import { findVersion, getKey } from '../../core/items.ts';
import type { Credential, Ports, Provider } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { services, testFacts, type World, world } from '../support/world.ts';

/** Vendors that do otherwise than the one in memory, each in a few lines, in the whole product. */
let w: World;
afterEach(() => end(w));

interface Held {
  readonly id: string;
  readonly value: string;
  label: string;
  enabled: boolean;
  acceptedUntil: number;
}

/** A vendor whose parts a test replaces. `use` is what a program does with a value. */
function vendor(
  more: (held: Held[], make: (label: string, value?: string) => Held) => Partial<Provider>,
  traits: Partial<Provider['traits']> = {},
) {
  const held: Held[] = [];
  let serial = 0;
  const make = (label: string, value?: string): Held => {
    serial++;
    const one = { id: `id-${serial}`, value: value ?? `value-${serial}`, label, enabled: true, acceptedUntil: Number.POSITIVE_INFINITY };
    held.push(one);
    return one;
  };
  const use = (value: Value) => held.some((one) => value.equals(new Value(one.value)) && Date.now() < one.acceptedUntil);
  const kill = (id: string) => {
    const one = held.find((each) => each.id === id);
    if (one) Object.assign(one, { enabled: false, acceptedUntil: Math.min(one.acceptedUntil, Date.now()) });
    return one;
  };
  const shown = ({ id, label, enabled }: Held): Credential => ({ credentialId: id, label, enabled });
  w = world();
  const provider: Provider = {
    name: 'memory',
    traits: { ...w.provider.traits, maxLive: 5, ...traits },
    about: w.provider.about,
    create: async (_subject, label) => {
      const { id, value } = make(label);
      return { credentialId: id, value: new Value(value) };
    },
    list: async () => held.map(shown),
    probe: async (_subject, value) => ({ verdict: use(value) ? 'alive' : 'denied', detail: 'asked' }),
    disable: async (_subject, id) => (kill(id) ? 'disabled' : 'gone'),
    delete: async (_subject, id) => {
      const one = kill(id);
      if (one) held.splice(held.indexOf(one), 1);
      return one ? 'deleted' : 'gone';
    },
    neverIssued: (random) => new Value(`never-${random}`),
    ...more(held, make),
  };
  void end(w);
  w = world({ wrap: (ports: Ports) => ({ ...ports, provider: () => provider, providers: () => ['memory'] }) });
  return { provider, held, use, serves: (facts = testFacts()) => services({ ...w, provider: { use } as never }, facts) };
}

async function minted(facts = testFacts()): Promise<string> {
  await registerKey(w.ports, facts, 'owner');
  await beginRotation(w.ports, { keyId: facts.id, reason: 'first', trigger: 'first' }, 'owner');
  await untilIdle(w, facts.id);
  return facts.id;
}

describe('class A: a vendor that takes the value from the caller', () => {
  let answers: ('ok' | 'lost' | 'never created')[] = [];
  const suppliedVendor = () =>
    vendor(
      (held, make) => ({
        draw: (random) => new Value(`drawn-${random}`),
        find: async (_subject, value) => held.find((one) => value.equals(new Value(one.value)))?.id,
        async create(_subject, label, minting) {
          const value = minting?.value as Value;
          const answer = answers.shift() ?? 'ok';
          const known = held.find((one) => value.equals(new Value(one.value)));
          if (answer === 'never created') throw Object.assign(new Error('x'), { name: 'ProviderUnavailable' });
          const one = known ?? make(label, value.reveal());
          if (answer === 'lost') throw Object.assign(new Error('x'), { name: 'ProviderUnavailable' });
          return { credentialId: one.id, value };
        },
      }),
      { class: 'A', labelled: false },
    );

  it('stores the value, and its fingerprint, before the vendor hears of it', async () => {
    const { provider, serves } = suppliedVendor();
    const seen: boolean[] = [];
    const create = provider.create;
    Object.assign(provider, {
      create: async (...args: Parameters<Provider['create']>) => {
        const version = await findVersion(w.ports, 'payments/stripe', 1);
        const stored = version?.token ? await w.ports.secrets.read('payments/stripe', version.token) : undefined;
        seen.push(Boolean(stored?.equals(args[2]?.value as Value)) && version?.fingerprints.length === 1);
        return create(...args);
      },
    });
    await minted();
    serves();
    expect(seen).toEqual([true]);
  });

  it.each([
    ['lost', 1],
    ['never created', 1],
  ] as const)('a create whose answer is %s is gone on with: the same value, and one credential', async (answer, count) => {
    const { held, serves } = suppliedVendor();
    const keyId = await minted();
    const { refused } = serves();
    await w.pass(30);
    answers = [answer];
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2, attention: null });
    expect(held.filter(({ enabled }) => enabled)).toHaveLength(count);
    expect(held).toHaveLength(2);
    expect(refused).toEqual([]);
  });

  it('a version whose create was lost and then revoked is found by its value, and dies', async () => {
    const { held, serves } = suppliedVendor();
    const keyId = await minted(testFacts({ exclusive: true }));
    serves();
    await w.pass(30);
    answers = Array(40).fill('lost');
    await beginsRotation(w, keyId);
    await w.until(() => held.length === 2);
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    expect(held.filter(({ enabled }) => enabled)).toEqual([]);
  });
});

describe('grace: a vendor that ends the old version itself, when we say', () => {
  const graceVendor = () =>
    vendor(
      (held, make) => {
        const current = () => held.at(-1);
        return {
          async create(_subject, label, minting) {
            const old = current();
            const one = make(label);
            if (old) old.acceptedUntil = Date.parse(minting?.oldUntil ?? '');
            return { credentialId: one.id, value: new Value(one.value) };
          },
          list: async () => held.slice(-1).map(({ id }) => ({ credentialId: id, enabled: true })),
          async disable(_subject, id) {
            if (current()?.id !== id) return 'gone';
            (current() as Held).acceptedUntil = Date.now();
            make('');
            return 'disabled';
          },
          delete: async () => 'gone',
          read: async (_subject, id) => (current()?.id === id ? new Value(current()?.value ?? '') : undefined),
        };
      },
      { pattern: 'grace', labelled: false },
    );
  const facts = testFacts({ exclusive: false });

  it('is rotated with nobody refused; the rotation ends, and the old version is proven dead when its end has come', async () => {
    const { held, serves } = graceVendor();
    const keyId = await minted(facts);
    const { refused } = serves(facts);
    await w.pass(30);
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const old = await findVersion(w.ports, keyId, 1);
    expect(old).toMatchObject({ state: 'disabling', endsAt: expect.any(String) });
    // Twice the tier's longest overlap after the create.
    expect(held[0]?.acceptedUntil).toBe(Date.parse(old?.endsAt ?? ''));
    await w.pass(1400);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', role: 'none' });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
    expect(refused).toEqual([]);
  });

  it('cannot be taken back once the vendor set the end, and says so', async () => {
    const { serves } = graceVendor();
    const keyId = await minted(facts);
    serves(facts);
    await w.pass(30);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await expect(requestRollback(w.ports, { keyId, reason: 'x' }, 'owner')).rejects.toMatchObject({ code: 'E_PAST_POINT_OF_NO_RETURN' });
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2 });
  });

  it('takes over what a create made whose answer was lost, and does not start another end', async () => {
    const { provider, held, serves } = graceVendor();
    const keyId = await minted(facts);
    const { refused } = serves(facts);
    await w.pass(30);
    const create = provider.create;
    Object.assign(provider, {
      create: async (...args: Parameters<Provider['create']>) => {
        await create(...args);
        throw Object.assign(new Error('x'), { name: 'ProviderUnavailable' });
      },
    });
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(held).toHaveLength(2);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2, attention: null });
    expect(refused).toEqual([]);
  });

  it('one that somebody made in its console is a stranger, reported and left alone', async () => {
    const { held, serves, provider } = graceVendor();
    const keyId = await minted(facts);
    serves(facts);
    await provider.create({ keyId, account: '', params: {} }, 'by hand', { oldUntil: '2027-01-01T00:00:00Z' });
    await w.pass(100);
    expect(held.every(({ enabled }) => enabled)).toBe(true);
    expect((await getKey(w.ports, keyId)).attention?.reason).toBe('UnattributedCredential');
  });
});

describe('replace: a vendor that cannot overlap', () => {
  const replaceVendor = () =>
    vendor(
      (held, make) => ({
        async create(_subject, label) {
          for (const one of held) one.acceptedUntil = Math.min(one.acceptedUntil, Date.now());
          const one = make(label);
          return { credentialId: one.id, value: new Value(one.value) };
        },
        list: async () => held.slice(-1).map(({ id }) => ({ credentialId: id, enabled: true })),
        delete: async () => 'gone',
      }),
      { pattern: 'replace', labelled: false },
    );

  it('is refused unless its owner accepts the gap in writing', async () => {
    replaceVendor();
    await expect(registerKey(w.ports, testFacts({ exclusive: false }), 'owner')).rejects.toMatchObject({
      problems: [{ path: 'acceptsGap' }],
    });
  });

  it('is rotated forward only when the owner did, and the old version is dead at once', async () => {
    const { use, held, serves } = replaceVendor();
    const facts = testFacts({ exclusive: false, acceptsGap: 'batch jobs retry for an hour; agreed in the change record' });
    const keyId = await minted(facts);
    const { refused } = serves(facts);
    await w.pass(30);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    expect((await getKey(w.ports, keyId)).rotation?.ponr).toBe(true);
    await untilIdle(w, keyId);
    expect(held.map(({ value }) => use(new Value(value)))).toEqual([false, true]);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled' });
    // This is the gap that was accepted: a service is refused until it has refreshed.
    expect(refused.length).toBeGreaterThan(0);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });
});

it('a vendor that only ends leaked values keeps no keys', async () => {
  vendor(() => ({}), { pattern: 'revokeOnly', disable: 'none' });
  await expect(registerKey(w.ports, testFacts(), 'owner')).rejects.toMatchObject({ problems: [{ path: 'provider' }] });
});
