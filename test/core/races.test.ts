import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { end } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(async () => await end(w));

const idle = (keyId: string) => async () => (await getKey(w.ports, keyId)).state === 'active';

describe('two requests at the same moment', () => {
  it('row 23: one rotation begins, and the other is told who was faster', async () => {
    const keyId = await adopted(w);
    const asked = ['ada', 'bob'].map((who) => beginRotation(w.ports, { keyId, reason: 'x', trigger: who }, who));
    const answers = await Promise.allSettled(asked);
    const refused = answers.find((answer) => answer.status === 'rejected');
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(refused).toMatchObject({ reason: { code: 'E_BUSY', message: expect.stringMatching(/begun by (ada|bob)/) } });
  });
});

describe('a key that becomes riskier', () => {
  it('POL-F1: is never due later for it, even right after a rollback made it due soon', async () => {
    const facts = testFacts();
    const keyId = await adopted(w, facts);
    services(w, facts);
    await beginRotation(w.ports, { keyId, reason: 'x', trigger: 't' }, 'x');
    await requestRollback(w.ports, { keyId, reason: 'x' }, 'x');
    await w.until(idle(keyId));
    const before = (await getKey(w.ports, keyId)).nextDueAt ?? '';
    const { tier, nextDueAt } = await registerKey(w.ports, { ...facts, exposure: 'public' }, 'x');
    expect(tier).toBe('high');
    expect((nextDueAt ?? '') <= before).toBe(true);
  });
});

describe('a stranger', () => {
  it('calls a person while it is there, and no longer', async () => {
    const facts = testFacts({ exclusive: false });
    const keyId = await adopted(w, facts);
    const { credentialId } = w.provider.stranger();
    await w.until(async () => (await getKey(w.ports, keyId)).attention?.reason === 'UnattributedCredential');
    await w.provider.delete({ keyId, account: 'default', params: {} }, credentialId);
    await w.pass(120);
    await reconcile(w.ports);
    expect((await getKey(w.ports, keyId)).attention).toBeNull();
  });
});
