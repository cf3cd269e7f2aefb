import { afterEach, describe, expect, it } from 'vitest';
import { advanceBulk } from '../../core/bulk/advance.ts';
import { type BulkOrder, beginBulk } from '../../core/bulk/begin.ts';
import { type Bulk, getBulk } from '../../core/bulk/bulk.ts';
import { type BulkProof, bulkProofs } from '../../core/bulk/proofs.ts';
import { findMany, previewBulk } from '../../core/bulk/select.ts';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { history } from '../../core/show.ts';
import { type Fleet, fleet } from '../support/fleet.ts';
import { end } from '../support/operations.ts';
import { consumerNamed } from '../support/world.ts';

let f: Fleet;
afterEach(() => end(f.w));

const order = (count: number, more: Partial<BulkOrder> = {}): BulkOrder => ({
  selector: { provider: 'memory' },
  reason: 'vendor breach',
  source: 'repository',
  count,
  requestId: 'bulk-request-1',
  ...more,
});

/** As somebody does who watches it: on and on, until it is done. */
async function drive(id: string): Promise<Bulk> {
  for (;;) {
    const { bulk, againSeconds } = await advanceBulk(f.w.ports, { id, seconds: 20 });
    if (bulk.phase === 'done') return bulk;
    await f.w.pass(Math.max(1, againSeconds));
  }
}

async function proofs(id: string): Promise<BulkProof[]> {
  const all: BulkProof[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page: { proofs: readonly BulkProof[]; next: number | null } = await bulkProofs(f.w.ports, { id, from });
    all.push(...page.proofs);
    from = page.next;
  }
  return all;
}

const requested = async (keyId: string) => (await history(f.w.ports, keyId)).filter(({ event }) => event === 'revocation.requested').length;

describe('a preview', () => {
  it('says whose keys and whose services it would hit, by owner, vendor, service and age, and changes nothing', async () => {
    f = await fleet(12, {
      reconciler: false,
      facts: (i) => ({ owner: i % 3 ? 'team-a' : 'team-b', consumers: i % 4 ? [] : [consumerNamed('checkout')] }),
    });
    expect(await previewBulk(f.w.ports, { owner: 'team-b' })).toMatchObject({
      count: 4,
      byProvider: { memory: 4 },
      byOwner: { 'team-b': 4 },
      consumers: ['checkout'],
      sample: ['fleet/key-00000', 'fleet/key-00003', 'fleet/key-00006', 'fleet/key-00009'],
    });
    expect((await previewBulk(f.w.ports, { service: 'checkout' })).count).toBe(3);
    expect((await previewBulk(f.w.ports, { service: 'checkout', owner: 'team-b' })).count).toBe(1);
    expect((await previewBulk(f.w.ports, { provider: 'other' })).count).toBe(0);
    const now = new Date(f.w.ports.clock.now() + 1000).toISOString();
    expect((await previewBulk(f.w.ports, { issuedBefore: now })).count).toBe(12);
    expect((await previewBulk(f.w.ports, { issuedBefore: '2020-01-01T00:00:00.000Z' })).count).toBe(0);
    expect(f.calls).toEqual([]);
  });

  it('row 17: is confirmed by its count: another number, or nothing to do, begins nothing', async () => {
    f = await fleet(5, { reconciler: false });
    await expect(beginBulk(f.w.ports, order(4), 'responder')).rejects.toMatchObject({ code: 'E_BUSY' });
    await expect(beginBulk(f.w.ports, order(5, { selector: { owner: 'nobody' } }), 'responder')).rejects.toMatchObject({
      code: 'E_NOTHING_TO_DO',
    });
    expect(f.calls).toEqual([]);
  });

  it('of strings names the versions whose values they are, and how many nobody knows', async () => {
    f = await fleet(3, { reconciler: false });
    const [first = '', second = ''] = f.ids;
    const texts = await Promise.all(
      [first, second].map(
        async (id) => (await f.w.ports.secrets.read(id, (await findVersion(f.w.ports, id, 1))?.token ?? ''))?.reveal() ?? '',
      ),
    );
    const found = await findMany(f.w.ports, [...texts, 'nobody knows', texts[0] ?? '']);
    expect(found).toEqual({ keys: [first, second].map((keyId) => ({ keyId, scope: [1] })), unknown: 1 });
    expect((await previewBulk(f.w.ports, { leaked: found.keys })).count).toBe(2);
  });
});

describe('POL-I3: a vendor that is to be left at once', () => {
  it('has every key proven dead, one list of proofs says how, and every first disable comes before the first reissue', async () => {
    f = await fleet(45);
    const bulk = await beginBulk(f.w.ports, order(45), 'responder');
    expect(bulk).toMatchObject({ phase: 'disabling', total: 45, disabled: 0 });
    const done = await drive(bulk.id);
    expect(done).toMatchObject({ phase: 'done', disabled: 45, started: 45, proven: 45, failed: [], late: [] });
    const list = await proofs(bulk.id);
    expect(list).toHaveLength(45);
    for (const { dead, operationId } of list) {
      expect(dead).toMatchObject([{ version: 1, proof: expect.stringMatching(/refused/) }]);
      expect(operationId).toMatch(/^revoke-/);
    }
    for (const id of f.ids) expect(f.vendor(id).accepts((await findVersion(f.w.ports, id, 1))?.credentialId ?? '')).toBe(false);
    const told = new Set<string>();
    for (const { call, keyId } of f.calls) {
      if (call === 'create') break;
      told.add(keyId);
    }
    expect(told.size).toBe(45);
  });

  it('is not begun twice by the same request', async () => {
    f = await fleet(6);
    const first = await beginBulk(f.w.ports, order(6), 'responder');
    expect((await beginBulk(f.w.ports, order(6), 'responder')).id).toBe(first.id);
    await drive(first.id);
    expect((await beginBulk(f.w.ports, order(6), 'responder')).phase).toBe('done');
    for (const id of f.ids) expect(await requested(id)).toBe(1);
  });

  it('goes on by itself when nobody watches it', async () => {
    f = await fleet(15);
    const { id } = await beginBulk(f.w.ports, order(15), 'responder');
    await f.w.until(async () => (await getBulk(f.w.ports, id)).phase === 'done', 600);
    expect((await proofs(id)).every(({ dead }) => dead.length === 1)).toBe(true);
  });

  it('is interrupted anywhere and goes on: every key gets one revocation and one new version', async () => {
    let left = Number.POSITIVE_INFINITY;
    const dies = <T extends object>(port: T, names: readonly string[]): T =>
      new Proxy(port, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== 'function' || !names.includes(String(name))) return member;
          return (...args: unknown[]) => {
            if (--left < 0) throw new TypeError('the process is gone');
            return member.apply(target, args);
          };
        },
      });
    f = await fleet(40, { reconciler: false });
    const { id } = await beginBulk(f.w.ports, order(40), 'responder');
    const driver = { ...f.w.ports, inventory: dies(f.w.ports.inventory, ['write', 'update']) };
    for (const calls of [23, 61]) {
      left = calls;
      for (let died = false; !died; await f.w.pass(1)) {
        died = await advanceBulk(driver, { id, seconds: 20 }).then(
          () => left < 0,
          () => true,
        );
      }
      // Whoever comes next waits for the lease of the one that died.
      expect((await advanceBulk(f.w.ports, { id, seconds: 20 })).againSeconds).toBeGreaterThan(0);
      await f.w.pass(100);
    }
    const done = await drive(id);
    expect(done.proven).toBe(40);
    await f.w.pass(120);
    for (const keyId of f.ids) {
      expect(await requested(keyId)).toBe(1);
      expect((await listVersions(f.w.ports, keyId)).map(({ number }) => number)).toEqual([1, 2]);
      expect(await getKey(f.w.ports, keyId)).toMatchObject({ state: 'active', current: 2, revocation: null });
    }
    expect(f.calls.filter(({ call }) => call === 'create')).toHaveLength(40);
  });

  it('stays within the vendor’s rate, and a single revocation does not wait for it', async () => {
    f = await fleet(60, { callsPerSecond: 5, reconciler: false, facts: (i) => (i === 59 ? { owner: 'other' } : {}) });
    const { id } = await beginBulk(f.w.ports, order(59, { selector: { owner: 'team-payments' } }), 'responder');
    const from = f.w.ports.clock.now();
    const single = f.ids[59] ?? '';
    for (let i = 0; (await getBulk(f.w.ports, id)).phase === 'disabling'; i++) {
      const { againSeconds } = await advanceBulk(f.w.ports, { id, seconds: 20 });
      if (i === 2) {
        const emergency = { keyId: single, scope: 'all', reason: 'another leak', source: 'none', requestId: 'single-1' } as const;
        expect(await revoke(f.w.ports, emergency, 'responder')).toMatchObject({ versions: [{ firstDisable: 'disabled' }] });
      }
      await f.w.pass(Math.max(1, againSeconds));
    }
    const first = f.calls.filter(({ call, keyId }) => call === 'disable' && keyId !== single).slice(0, 59);
    const seconds = ((first.at(-1)?.at ?? 0) - from) / 1000;
    // Four of five calls a second are its own.
    expect(59 / seconds).toBeLessThanOrEqual(4.5);
    expect(seconds).toBeLessThan(40);
  });

  it('keeps a key whose provider does not answer on its list, and works on it until it is dead', async () => {
    f = await fleet(8);
    const [stubborn = ''] = f.ids;
    const vendor = f.vendor(stubborn);
    const { disable } = vendor;
    vendor.disable = async () => {
      throw new TypeError('no answer');
    };
    const { id } = await beginBulk(f.w.ports, order(8), 'responder');
    await f.w.until(async () => (await getBulk(f.w.ports, id)).started === 8, 600);
    expect(await getBulk(f.w.ports, id)).toMatchObject({ failed: [stubborn], phase: 'proving' });
    vendor.disable = disable;
    await drive(id);
    expect((await proofs(id)).find(({ keyId }) => keyId === stubborn)?.dead).toHaveLength(1);
  });
});
