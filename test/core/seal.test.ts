import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memorySeals } from '../../adapters/memory/seals.ts';
import { type AuditEntry, type AuditLine, chain, genesisHash } from '../../core/audit.ts';
import { clearHold, setHold } from '../../core/hold.ts';
import type { Item } from '../../core/inventory.ts';
import { getKey, metaKey, partition } from '../../core/items.ts';
import { pauseSchedule } from '../../core/pause.ts';
import { pathTo, rootBy, rootOf } from '../../core/seal/merkle.ts';
import { noSeal, type SealedHead, sealFor, sealHash } from '../../core/seal/seal.ts';
import { sealChains } from '../../core/seal/seal-chains.ts';
import { verifyChain } from '../../core/seal/verify-chain.ts';
import { verifySeals } from '../../core/seal/verify-seals.ts';
import { history } from '../../core/show.ts';
import { end } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';

const length = 10_000;
const name = 'KEY#payments/stripe';

const lines = (count: number, word = 'hold.set'): AuditLine[] =>
  Array.from({ length: count }, (_, i) => ({
    at: '2026-01-05T08:00:00.000Z',
    actor: `person-${i % 7}`,
    event: word,
    detail: { number: i },
  }));
const start = { seq: 0, hash: genesisHash };
const written = chain(start, lines(length));
const last = written.at(-1) as AuditEntry;
/** Sealed after every 500th entry. */
const sealed: SealedHead[] = written.filter(({ seq }) => seq % 500 === 0).map(({ seq, hash }) => ({ chain: name, seq, hash }));
const found = (entries: readonly AuditEntry[], head: { seq: number; hash: string } = last) =>
  verifyChain({ chain: name, entries, head }, sealed);
const without = (at: number) => [...written.slice(0, at - 1), ...written.slice(at)];

describe('POL-C4: a chain of ten thousand entries', () => {
  it('that nobody touched holds', () => {
    expect(found(written)).toEqual([]);
  });

  it('of which one entry was edited is found, at that entry', () => {
    const edited = written.map((entry) => (entry.seq === 7123 ? { ...entry, actor: 'somebody else' } : entry));
    expect(found(edited)).toMatchObject([{ seq: 7123, kind: 'edited', chain: name }]);
  });

  it('of which one entry was deleted is found, where it was', () => {
    expect(found(without(4242))).toMatchObject([{ seq: 4242, kind: 'deleted' }]);
  });

  it('into which an entry was put is found, where it is', () => {
    const [forged] = chain(written[2999] as AuditEntry, lines(1, 'hold.cleared')) as [AuditEntry];
    const among = [...written.slice(0, 3000), forged, ...written.slice(3000)];
    expect(found(among)[0]).toMatchObject({ seq: 3001, kind: expect.stringMatching(/inserted|rewritten/) });
    expect(found(among).map(({ seq }) => seq)).not.toContain(2999);
    const copied = [...written.slice(0, 3000), written[1000] as AuditEntry, ...written.slice(3000)];
    expect(found(copied)[0]).toMatchObject({ seq: 1001, kind: 'inserted' });
  });

  it('of which two entries changed places is found, where the first of them is', () => {
    const swapped = [...written];
    [swapped[5000], swapped[5001]] = [written[5001] as AuditEntry, written[5000] as AuditEntry];
    expect(found(swapped)[0]).toMatchObject({ seq: 5001, kind: 'reordered' });
  });

  it('that was cut off is found, at its new end, also when the record of the end was set back', () => {
    const cut = written.slice(0, 9876);
    expect(found(cut)[0]).toMatchObject({ seq: 9877, kind: 'truncated', message: expect.stringContaining('9877 to 10000') });
    const { seq, hash } = cut.at(-1) as AuditEntry;
    expect(found(cut, { seq, hash })).toMatchObject([{ seq: 9877, kind: 'truncated' }]);
  });

  it('that was written anew, with every hash right, is found between the last seal that holds and the first that does not', () => {
    const from = 6200;
    const forged = lines(length).map((line, i) => (i === from ? { ...line, actor: 'nobody' } : line));
    const anew = chain(start, forged);
    expect(verifyChain({ chain: name, entries: anew, head: anew.at(-1) ?? null }, [])).toEqual([]);
    expect(found(anew, anew.at(-1))).toMatchObject([
      { seq: 6001, kind: 'rewritten', message: expect.stringContaining('6001 and entry 6500') },
    ]);
    const whole = chain(start, lines(length, 'other'));
    expect(found(whole, whole.at(-1))).toMatchObject([{ seq: 1, kind: 'rewritten' }]);
  });

  it('that is gone as a whole is found', () => {
    expect(found([], { seq: 0, hash: genesisHash })).toMatchObject([{ seq: 1, kind: 'truncated' }]);
  });
});

describe('POL-C4: seals', () => {
  let w: World;
  beforeEach(() => {
    w = world({ reconciler: false, provider: { traits: { maxLive: 100 } } });
  });
  afterEach(() => end(w));
  const keyId = 'payments/stripe';
  const hold = () => setHold(w.ports, { keyId, reason: 'release', until: '2026-01-06T00:00:00.000Z' }, 'ana');
  const verified = async (texts: Iterable<string> = w.seals.kept.values()) => verifySeals(texts, await w.ports.seals.publicKey());
  const chainOf = async () => ({
    chain: partition(keyId),
    entries: await history(w.ports, keyId),
    head: (await getKey(w.ports, keyId)).audit,
  });

  it('cover what has grown, journals too, and cost nothing where nothing has', async () => {
    await adopted(w, testFacts({ exclusive: false }));
    await pauseSchedule(w.ports, { reason: 'release', until: '2026-01-06T00:00:00.000Z' }, 'ana');
    expect(await sealChains(w.ports)).toMatchObject({ made: [1] });
    expect(await sealChains(w.ports)).toEqual({ looked: 0, made: [] });
    await hold();
    expect(await sealChains(w.ports)).toEqual({ looked: 1, made: [2] });
    const { of, problems, last: latest } = await verified();
    expect(problems).toEqual([]);
    expect([...of.keys()].sort()).toEqual(['INSTALLATION', 'KEY#payments/stripe']);
    expect(of.get(partition(keyId))?.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(latest).toMatchObject({ number: 2 });
    expect(verifyChain(await chainOf(), of.get(partition(keyId)) ?? [])).toEqual([]);
  });

  it('show that the inventory was written anew, although it holds in itself', async () => {
    await adopted(w, testFacts({ exclusive: false }));
    await hold();
    await sealChains(w.ports);
    await clearHold(w.ports, { keyId, reason: 'over' }, 'ana');
    const forged = chain(
      start,
      (await history(w.ports, keyId)).map((line) => ({ ...line, actor: line.actor === 'ana' ? 'bob' : line.actor })),
    );
    for (const entry of forged) {
      const item = { pk: partition(keyId), sk: `AUD#${String(entry.seq).padStart(10, '0')}`, ...entry } as unknown as Item;
      await w.inventory.write([{ do: 'put', item }]);
    }
    const { seq, hash } = forged.at(-1) as AuditEntry;
    await w.inventory.update(metaKey(keyId), { set: { audit: { seq, hash } } });
    const { of } = await verified();
    expect(verifyChain(await chainOf(), [])).toEqual([]);
    expect(verifyChain(await chainOf(), of.get(partition(keyId)) ?? [])).toMatchObject([{ kind: 'rewritten', seq: 1 }]);
  });

  it('of which one was edited, is missing, or is by another hand are found by number', async () => {
    await adopted(w, testFacts({ exclusive: false }));
    for (let i = 0; i < 4; i++) {
      await (i % 2 ? clearHold(w.ports, { keyId, reason: 'over' }, 'ana') : hold());
      await sealChains(w.ports);
    }
    const texts = [...w.seals.kept.values()];
    expect((await verified(texts)).problems).toEqual([]);
    const edited = texts.map((text, i) => (i === 1 ? text.replace('"seq":', '"seq":1') : text));
    expect((await verified(edited)).problems).toMatchObject([{ seq: 2, kind: 'seal', message: expect.stringContaining('edited') }]);
    expect((await verified(texts.toSpliced(2, 1))).problems[0]).toMatchObject({ seq: 3, message: expect.stringContaining('missing') });
    const stranger = memorySeals();
    const seal = {
      number: 5,
      at: '2026-01-05T09:00:00.000Z',
      stage: 'test',
      previous: JSON.parse(texts[3] ?? '').hash,
      root: rootOf([]),
      count: 0,
    };
    const forged = JSON.stringify({ seal, hash: sealHash(seal), ...(await stranger.sign(sealHash(seal))), heads: [] });
    expect((await verified([...texts, forged])).problems).toMatchObject([{ seq: 5, message: expect.stringContaining('another key') }]);
    expect((await verified([...texts, 'nonsense'])).problems).toMatchObject([{ seq: 5 }]);
  });

  it('POL-G3: can be shown to one unit: they prove its chains as before, and name no other', async () => {
    const mine = await adopted(w, testFacts({ id: 'cards/stripe', unit: 'cards', exclusive: false }));
    for (let i = 0; i < 4; i++) await adopted(w, testFacts({ id: `maps/key-${i}`, unit: 'maps', exclusive: false }));
    await sealChains(w.ports);
    const texts = [...w.seals.kept.values()].map((text) => sealFor(text, new Set([partition(mine)])));
    expect(texts.join()).not.toContain('maps');
    const { of, problems } = await verified(texts);
    expect(problems).toEqual([]);
    expect([...of.keys()]).toEqual([partition(mine)]);
    const forged = texts.map((text) => text.replace('"seq":2', '"seq":1'));
    expect((await verified(forged)).problems).toMatchObject([{ seq: 1, kind: 'seal' }]);
  });

  it('have a root that any leaf leads to by its path, and nothing else does', () => {
    for (const count of [1, 2, 3, 5, 8, 13]) {
      const leaves = Array.from({ length: count }, (_, i) => ({ leaf: i }));
      for (const [at, leaf] of leaves.entries()) expect(rootBy(leaf, pathTo(leaves, at))).toBe(rootOf(leaves));
      expect(rootBy({ leaf: 99 }, pathTo(leaves, 0))).not.toBe(rootOf(leaves));
    }
  });

  it('are made once when two runs meet: one number, one seal', async () => {
    await adopted(w, testFacts({ exclusive: false }));
    await Promise.all([sealChains(w.ports), sealChains(w.ports)]);
    expect([...w.seals.kept.keys()]).toEqual([1]);
    expect((await verified()).problems).toEqual([]);
    expect(JSON.parse(w.seals.kept.get(1) ?? '').seal.previous).toBe(noSeal);
  });
});
