import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoFreeSlot, ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Provider, Subject } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';

export interface ProviderUnderTest {
  readonly provider: Provider;
  readonly subject: Subject;
  /** Makes the next call fail: nothing happens and 5xx, or it happens and its answer is lost, or it is refused for good. */
  strike(kind: 'server-error' | 'lost-answer' | 'refused' | 'slow-down', on?: 'create'): void;
  /** Ids of what other people made, which stands in the list before anything of ours. */
  readonly strangers?: readonly string[];
  /** Other people make credentials until this many places are left. Where the vendor documents no limit there is none. */
  fill?(left: number): void;
  /** The vendor says in a documented way that its limit is reached. */
  readonly saysFull?: boolean;
  close(): Promise<void>;
}

/** What every provider does, against a vendor that makes every change at once. */
export function describeProvider(name: string, make: () => Promise<ProviderUnderTest>): void {
  describe(`provider: ${name}`, () => {
    let test: ProviderUnderTest;
    let provider: Provider;
    let subject: Subject;
    beforeEach(async () => {
      test = await make();
      ({ provider, subject } = test);
    });
    afterEach(async () => await test?.close());

    const strangers = () => test.strangers ?? [];
    const bits = () => randomBytes(16).toString('hex');
    /** As the core mints: a value that the vendor takes from us is made before, and one whose end it sets itself gets an hour. */
    const mint = (label: string, value = provider.draw?.(bits())) =>
      provider.create(subject, label, {
        ...(value && { value }),
        ...(provider.traits.pattern === 'grace' && { oldUntil: new Date(Date.now() + 3_600_000).toISOString() }),
      });
    const ours = async () => (await provider.list(subject)).filter(({ credentialId }) => !strangers().includes(credentialId));
    const verdictOf = async (value: Value) => (await provider.probe(subject, value)).verdict;
    const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);

    it('has no way to turn a credential on, and none to replace one', () => {
      for (const verb of ['enable', 'rotate', 'regenerate']) expect(provider).not.toHaveProperty(verb);
    });

    it('mints a credential that is accepted and listed by its id, without its value', async () => {
      const { credentialId, value } = await mint('label-1');
      expect(await verdictOf(value)).toBe('alive');
      const list = await provider.list(subject);
      expect(list.filter((entry) => entry.credentialId === credentialId && entry.enabled)).toHaveLength(1);
      expect(JSON.stringify(list).includes(value.reveal())).toBe(false);
      if (provider.traits.labelled) expect(list.find((entry) => entry.credentialId === credentialId)?.label).toBe('label-1');
    });

    it('lists every credential, from none to more than a page', async () => {
      expect((await provider.list(subject)).map(({ credentialId }) => credentialId)).toEqual(strangers());
      const made = new Set<string>(strangers());
      const most = Math.min(provider.traits.maxLive, strangers().length + 4);
      while (made.size < most) made.add((await mint(`label-${made.size}`)).credentialId);
      expect(new Set((await provider.list(subject)).map(({ credentialId }) => credentialId))).toEqual(made);
    });

    it('gives two mints two different values', async () => {
      const [one, two] = [await mint('a'), await mint('b')];
      expect(one.value.equals(two.value)).toBe(false);
      expect(one.credentialId).not.toBe(two.credentialId);
    });

    it('finds no free slot at the limit, and one again after a deletion', async () => {
      if (!test.fill) return;
      test.fill(2);
      const made = [await mint('label-1'), await mint('label-2')];
      const full = await thrownBy(mint('one too many'));
      if (test.saysFull) expect(full).toBeInstanceOf(NoFreeSlot);
      else expect(['NoFreeSlot', 'ProviderRefused']).toContain((full as Error).name);
      expect(await provider.list(subject)).toHaveLength(provider.traits.maxLive);
      if (provider.traits.keepsOne) await provider.disable(subject, made[0]?.credentialId ?? '');
      await provider.delete(subject, made[0]?.credentialId ?? '');
      await mint('in the free slot');
    });

    it('disables one credential: it is denied, its neighbour stays alive', async () => {
      const [one, two] = [await mint('a'), await mint('b')];
      expect(await provider.disable(subject, one.credentialId)).toBe('disabled');
      expect([await verdictOf(one.value), await verdictOf(two.value)]).toEqual(['denied', 'alive']);
      const entry = (await provider.list(subject)).find(({ credentialId }) => credentialId === one.credentialId);
      expect(entry?.enabled ?? false).toBe(false);
    });

    it('disables and deletes again without harm', async () => {
      if (provider.traits.keepsOne) await mint('stays');
      const left = (await provider.list(subject)).map((one) => one.credentialId);
      const { credentialId, value } = await mint('a');
      await provider.disable(subject, credentialId);
      expect(['disabled', 'gone']).toContain(await provider.disable(subject, credentialId));
      expect(['deleted', 'gone']).toContain(await provider.delete(subject, credentialId));
      expect(await provider.delete(subject, credentialId)).toBe('gone');
      expect(await provider.disable(subject, credentialId)).toBe('gone');
      expect(await verdictOf(value)).toBe('denied');
      expect((await provider.list(subject)).map((one) => one.credentialId)).toEqual(left);
    });

    it('denies a well-formed value that was never issued, and makes a different one for each random', async () => {
      const fake = provider.neverIssued('00112233445566778899aabbccddeeff');
      expect(await verdictOf(fake)).toBe('denied');
      expect(fake.equals(provider.neverIssued('ffeeddccbbaa99887766554433221100'))).toBe(false);
      const { secretPattern } = provider.traits;
      if (secretPattern) expect(new RegExp(secretPattern).test(fake.reveal())).toBe(true);
    });

    it('says unavailable when the effect is unknown, and sends a create only once', async () => {
      test.strike('server-error');
      const value = provider.draw?.(bits());
      expect(await thrownBy(mint('a', value))).toBeInstanceOf(ProviderUnavailable);
      expect(await ours()).toEqual([]);
      test.strike('lost-answer', 'create');
      expect(await thrownBy(mint('b', value))).toBeInstanceOf(ProviderUnavailable);
      const [lost, ...more] = await ours();
      expect([lost?.enabled, more]).toEqual([true, []]);
      // A value that we supplied is never created twice: asked again, it is the same credential.
      if (value) expect([(await mint('b', value)).credentialId, (await ours()).length]).toEqual([lost?.credentialId, 1]);
      test.strike('slow-down');
      expect(await thrownBy(provider.list(subject))).toBeInstanceOf(ProviderUnavailable);
    });

    it('says refused when the provider refuses for good', async () => {
      test.strike('refused');
      expect(await thrownBy(mint('a'))).toBeInstanceOf(ProviderRefused);
      expect(await ours()).toEqual([]);
    });

    it('answers a probe that got no answer with inconclusive', async () => {
      const { value } = await mint('a');
      for (const kind of ['server-error', 'lost-answer', 'slow-down'] as const) {
        test.strike(kind);
        expect(await verdictOf(value), kind).toBe('inconclusive');
      }
    });

    it('tells the last use, where the vendor does', async () => {
      const { credentialId, value } = await mint('a');
      if (!provider.lastUsed) return;
      expect(['never', undefined]).toContain((await provider.lastUsed(subject, credentialId))?.at);
      await provider.probe(subject, value);
      const used = await provider.lastUsed(subject, credentialId);
      if (used) expect(used.at === 'never' || new Date(used.at).toISOString() === used.at).toBe(true);
    });

    it('puts no value in an error, a probe or a list', async () => {
      const { credentialId, value } = await mint('a');
      const seen: unknown[] = [];
      for (const kind of ['server-error', 'lost-answer', 'refused', 'slow-down'] as const) {
        for (const call of [
          () => provider.probe(subject, value),
          () => provider.disable(subject, credentialId),
          () => mint(`more-${kind}`),
          () => provider.list(subject),
        ]) {
          test.strike(kind);
          seen.push(await call().catch((error: unknown) => error));
        }
      }
      const text = seen.map((one) => inspect(one, { depth: 9, showHidden: true }) + (one instanceof Error ? one.stack : '')).join('\n');
      expect(text.includes(value.reveal())).toBe(false);
      expect(seen.some((one) => one instanceof Error && one.cause !== undefined)).toBe(false);
    });
  });
}
