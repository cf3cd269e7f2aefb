import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsApproval } from '../../core/authority.ts';
import { getKey } from '../../core/items.ts';
import { checkPolicy } from '../../core/policy/check-policy.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { approveRevoke, declineRevoke, planRevoke } from '../../core/revoke/planned.ts';
import { history } from '../../core/show.ts';
import { answer } from '../../requests/answer.ts';
import { end, revokes, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, testSettings, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const high = testFacts({ privileged: true });
beforeEach(async () => {
  w = world();
  keyId = await adopted(w, high);
  services(w, high);
});
afterEach(() => end(w));

const order = { scope: 'all', reason: 'the vendor changed hands', source: 'none', requestId: 'plan-1' } as const;
const plans = (more: object = {}, actor = 'ana') => planRevoke(w.ports, { keyId, ...order, ...more }, actor);
const waiting = async () => (await getKey(w.ports, keyId)).approval ?? null;
const isAlive = () => w.provider.accepts('cred-0001');
const day = 86_400;

describe('POL-F4: a revocation of a high-tier key that is no emergency', () => {
  it('waits, changes nothing meanwhile, and tells the key’s people that somebody else has to approve it', async () => {
    expect(await plans()).toMatchObject({ waits: true, approval: { by: 'ana', requestId: 'plan-1' } });
    await w.pass(3600);
    expect(isAlive()).toBe(true);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', revocation: null });
    const [notice] = w.notices.filter(({ type }) => type === 'key.approval');
    expect(notice?.data.reason).toContain('ana asks to revoke it: the vendor changed hands; somebody else has to approve by');
  });

  it('is carried out when somebody else approves, under both names, and opens no review of an emergency', async () => {
    await plans();
    await approveRevoke(w.ports, { keyId }, 'bob');
    expect(isAlive()).toBe(false);
    expect(await waiting()).toBeNull();
    await untilIdle(w, keyId);
    const entries = await history(w.ports, keyId);
    expect(entries.filter(({ event }) => /^revocation.(asked|approved)$/.test(event))).toMatchObject([
      { event: 'revocation.asked', actor: 'ana', detail: { request: 'plan-1' } },
      { event: 'revocation.approved', actor: 'bob', detail: { request: 'plan-1', by: 'ana' } },
    ]);
    expect(entries.find(({ event }) => event === 'revocation.requested')).toMatchObject({
      actor: 'bob',
      detail: { reason: 'the vendor changed hands (asked by ana, approved by bob)' },
    });
    expect(await listReviews(w.ports, { keyId })).toEqual([]);
    expect(w.pages).toEqual([]);
  });

  it('is not approved by whoever asked for it', async () => {
    await plans();
    await expect(approveRevoke(w.ports, { keyId }, 'ana')).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    expect(isAlive()).toBe(true);
    expect(await waiting()).not.toBeNull();
  });

  it('is declined with a reason, and can be asked for again', async () => {
    await plans();
    await declineRevoke(w.ports, { keyId, reason: 'still in use' }, 'bob');
    expect(await waiting()).toBeNull();
    await expect(approveRevoke(w.ports, { keyId }, 'bob')).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    expect(await plans({ requestId: 'plan-2' })).toMatchObject({ waits: true });
    expect(isAlive()).toBe(true);
  });

  it('is the same request when it is repeated, and refuses another one meanwhile', async () => {
    const first = await plans();
    expect(await plans()).toEqual(first);
    await expect(plans({ requestId: 'plan-2' }, 'cy')).rejects.toMatchObject({ code: 'E_BUSY', message: expect.stringContaining('ana') });
  });

  it('of two that come at once is asked for once', async () => {
    const asked = await Promise.all(
      ['plan-1', 'plan-2'].map((requestId) =>
        plans({ requestId }).then(
          () => 'waits',
          ({ code }) => code,
        ),
      ),
    );
    expect(asked.sort()).toEqual(['E_BUSY', 'waits']);
  });

  it('is approved within a week, or asked for anew with what is true then', async () => {
    await end(w);
    w = world({ reconciler: false });
    keyId = await adopted(w, high);
    await plans();
    await w.pass(7 * day);
    await expect(approveRevoke(w.ports, { keyId }, 'bob')).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    expect(isAlive()).toBe(true);
    expect(await plans({ requestId: 'plan-2' }, 'bob')).toMatchObject({ waits: true, approval: { by: 'bob' } });
  });

  it('holds up no emergency, which waits for nobody', async () => {
    await plans();
    await revokes(w, keyId);
    expect(isAlive()).toBe(false);
    await w.until(async () => (await listReviews(w.ports, { keyId })).some(({ kind }) => kind === 'emergency'));
    await untilIdle(w, keyId);
    // What was asked for before names versions of its own time: whoever approves it now ends what there is, and knows it by then.
    expect(await waiting()).toMatchObject({ requestId: 'plan-1' });
  });
});

describe('POL-F3 POL-Q1: who has to approve what', () => {
  it('is what the policy’s authority says, by tier', async () => {
    expect(['high', 'medium', 'low'].map((tier) => needsApproval(defaultPolicy.authority, tier as 'high'))).toEqual([true, false, false]);
    const medium = await adopted(w, testFacts({ id: 'payments/medium', exclusive: false, params: { of: 'medium' } }));
    expect(await planRevoke(w.ports, { keyId: medium, ...order }, 'ana')).toMatchObject({ waits: false });
    expect(w.provider.accepts('cred-0002')).toBe(false);
  });

  it('refuses whoever has not the right, and logs who that was and what they asked for', async () => {
    const lines: unknown[] = [];
    const ports = { ...w.ports, log: { ...w.ports.log, warn: (...line: unknown[]) => void lines.push(line) } };
    await plans();
    const own = answer(ports, 'revoke.approve', { keyId }, { actor: 'ana', via: 'intake' });
    await expect(own).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    const elsewhere = answer(ports, 'key.live', { keyId }, { actor: 'grace', via: 'intake' });
    await expect(elsewhere).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    expect(isAlive()).toBe(true);
    expect(lines).toMatchObject([
      ['somebody has not the right to this', { request: 'revoke.approve', actor: 'ana' }],
      ['somebody has not the right to this', { request: 'key.live', actor: 'grace' }],
    ]);
  });

  it('cannot be an emergency: a policy that lets one wait is refused', () => {
    const [responder, ...rest] = defaultPolicy.authority;
    const authority = [{ ...(responder as (typeof rest)[number]), approval: true }, ...rest];
    expect(() => checkPolicy({ ...defaultPolicy, authority }, testSettings)).toThrow(
      expect.objectContaining({
        problems: [{ path: 'authority.0.approval', message: expect.stringContaining('an emergency waits for nobody') }],
      }),
    );
  });
});
