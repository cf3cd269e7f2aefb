import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overrideConfirm, receive } from '../../core/adoption.ts';
import { proofOf } from '../../core/challenge.ts';
import { setHold } from '../../core/hold.ts';
import { getKey, listVersions } from '../../core/items.ts';
import type { Notice } from '../../core/notice.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, noticeTo, receiptFor, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
/** What each of the two consumers was sent when version 2 was distributed. */
let toApi: Notice;
let toBatch: Notice;

beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
  await beginsRotation(w, keyId);
  await untilStep(w, keyId, 'confirm');
  toApi = noticeTo(w, 'api', 'key.issued');
  toBatch = noticeTo(w, 'batch', 'key.issued');
});
afterEach(() => end(w));

const confirmed = async () => (await getKey(w.ports, keyId)).rotation?.confirmedAt ?? null;
const refusedAs = (code: string) => expect.objectContaining({ name: 'Refused', code });

describe('a receipt', () => {
  it('with the right answer to its own challenge counts, and all of them together confirm the rotation', async () => {
    expect(await receive(w.ports, await receiptFor(w, toApi), 'api')).toEqual({ accepted: true, complete: false });
    await w.pass(30);
    expect(await confirmed()).toBeNull();
    expect(await receive(w.ports, await receiptFor(w, toBatch), 'batch')).toEqual({ accepted: true, complete: false });
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('row 21: with only a version number is refused: E_PROOF_REQUIRED', async () => {
    const { nonce: _nonce, proof: _proof, ...bare } = await receiptFor(w, toApi);
    await expect(receive(w.ports, bare, 'api')).rejects.toEqual(refusedAs('E_PROOF_REQUIRED'));
    await expect(receive(w.ports, { ...bare, nonce: toApi.data.nonce ?? '' }, 'api')).rejects.toEqual(refusedAs('E_PROOF_REQUIRED'));
  });

  it('row 67: sent again, because its confirmation got lost, gets the same answer, and counts once', async () => {
    const receipt = await receiptFor(w, toApi);
    await receive(w.ports, receipt, 'api');
    expect(await receive(w.ports, receipt, 'api')).toEqual({ accepted: true, complete: false });
    expect((await history(w.ports, keyId)).filter(({ event }) => event === 'receipt.moved')).toHaveLength(1);
  });

  it('row 67: with a challenge that was answered before, and whose answer is no longer on record, is refused', async () => {
    const receipt = await receiptFor(w, toApi);
    await receive(w.ports, receipt, 'api');
    for (const { pk, sk } of await w.inventory.list(`KEY#${keyId}`, 'ADOPT#')) await w.inventory.write([{ do: 'delete', key: { pk, sk } }]);
    await expect(receive(w.ports, receipt, 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
  });

  it('row 67: sent twice at the same moment counts once', async () => {
    const receipt = await receiptFor(w, toApi);
    const answers = await Promise.allSettled([receive(w.ports, receipt, 'api'), receive(w.ports, receipt, 'api')]);
    expect(answers.map(({ status }) => status)).toContain('fulfilled');
    expect((await history(w.ports, keyId)).filter(({ event }) => event === 'receipt.moved')).toHaveLength(1);
  });

  it('row 67: with the challenge of another consumer is refused', async () => {
    await expect(receive(w.ports, await receiptFor(w, toBatch), 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
    const { operationId } = toBatch;
    const stolen = await receiptFor(w, { ...toBatch, audience: 'api' });
    await expect(receive(w.ports, { ...stolen, operationId }, 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
  });

  it('row 67: about the old version is refused, whatever it was signed with', async () => {
    const old = await receiptFor(w, { ...toApi, data: { ...toApi.data, version: 1 } });
    await expect(receive(w.ports, old, 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
    await expect(receive(w.ports, { ...old, version: 2 }, 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
  });

  it.each([
    ['made with another value', () => proofOf(new Value('another'), toApi.operationId, 'api', toApi.data.nonce ?? '')],
    ['that is not even a digest', () => 'yes'],
    ['of the right length', () => '0'.repeat(64)],
  ])('row 67: with a proof %s is refused, and its challenge stays open', async (_name, proof) => {
    await expect(receive(w.ports, { ...(await receiptFor(w, toApi)), proof: proof() }, 'api')).rejects.toEqual(
      refusedAs('E_PROOF_INVALID'),
    );
    expect(await receive(w.ports, await receiptFor(w, toApi), 'api')).toMatchObject({ accepted: true });
  });

  it.each([
    ['a challenge that was never sent', { nonce: 'f'.repeat(32) }],
    ['another operation', { operationId: 'rotate-aaaaaaaaaaaaaaaaaaaaaaaaaa' }],
  ])('row 67: about %s is refused', async (_name, more) => {
    await expect(receive(w.ports, { ...(await receiptFor(w, toApi)), ...more }, 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
  });

  it('row 67: about another operation is refused, though it was signed for that one', async () => {
    const operationId = 'rotate-aaaaaaaaaaaaaaaaaaaaaaaaaa';
    await expect(receive(w.ports, await receiptFor(w, { ...toApi, operationId }), 'api')).rejects.toEqual(refusedAs('E_PROOF_INVALID'));
  });

  it('of somebody who is no consumer of the key is refused: E_NOT_FOUND', async () => {
    await expect(receive(w.ports, await receiptFor(w, toApi), 'reports')).rejects.toEqual(refusedAs('E_NOT_FOUND'));
  });

  it('that says only that the notice was heard, or that the move failed, is on record and confirms nothing', async () => {
    const { proof: _proof, nonce: _nonce, ...bare } = await receiptFor(w, toApi);
    await receive(w.ports, { ...bare, outcome: 'heard' }, 'api');
    await receive(w.ports, { ...bare, outcome: 'failed', message: `no route ${'x'.repeat(300)}` }, 'api');
    await w.pass(60);
    expect(await confirmed()).toBeNull();
    const [heard, failed] = (await history(w.ports, keyId)).filter(({ event }) => event.startsWith('receipt.'));
    expect(heard).toMatchObject({ event: 'receipt.heard', actor: 'consumer:api' });
    expect(String(failed?.detail['message'])).toHaveLength(200);
  });

  it('row 66: of an operation that has ended is harmless: the key and its versions stay what they are', async () => {
    const late = await receiptFor(w, toApi);
    await overrideConfirm(w.ports, { keyId, consumer: 'api', reason: 'seen in its log' }, 'anna');
    await receive(w.ports, await receiptFor(w, toBatch), 'batch');
    await untilIdle(w, keyId);
    const before = await listVersions(w.ports, keyId);
    expect(await receive(w.ports, late, 'api')).toMatchObject({ complete: false });
    await w.pass(100);
    expect(await listVersions(w.ports, keyId)).toEqual(before);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, rotation: null, attention: null });
  });
});

describe('row 66: an answer to a waiting Confirm', () => {
  it('with a token that is unknown, old, or used before is harmless', async () => {
    const token = (await getKey(w.ports, keyId)).rotation?.taskToken ?? '';
    await w.ports.executions.succeed('nobody’s');
    await w.ports.executions.fail('nobody’s', 'RollingBack', 'x');
    await w.pass(60);
    expect((await getKey(w.ports, keyId)).rotation?.step).toBe('confirm');
    await receive(w.ports, await receiptFor(w, toApi), 'api');
    await receive(w.ports, await receiptFor(w, toBatch), 'batch');
    await w.ports.executions.succeed(token);
    await w.ports.executions.fail(token, 'RollingBack', 'x');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('by somebody who found the token, without any proof, does not retire the old version', async () => {
    const token = (await getKey(w.ports, keyId)).rotation?.taskToken ?? '';
    await w.ports.executions.succeed(token);
    await w.pass(120);
    expect(await getKey(w.ports, keyId)).toMatchObject({ rotation: { confirmedAt: null, ponr: false } });
    expect(w.provider.accepts('cred-0001')).toBe(true);
  });
});

describe('a person’s word that a consumer moved', () => {
  const ask = (consumer: string) => overrideConfirm(w.ports, { keyId, consumer, reason: 'seen in its log' }, 'anna');

  it('counts, and is on record with who and why', async () => {
    await w.pass(30);
    expect(await ask('api')).toEqual({ keyId, consumer: 'api', complete: false });
    expect(await ask('batch')).toEqual({ keyId, consumer: 'batch', complete: true });
    const lines = (await history(w.ports, keyId)).filter(({ event }) => event === 'confirm.overridden');
    expect(lines).toMatchObject([
      { actor: 'anna', detail: { consumer: 'api', reason: 'seen in its log' } },
      { detail: { consumer: 'batch' } },
    ]);
  });

  it('about nobody, or about everybody of a key that has consumers, is refused: E_NOT_FOUND', async () => {
    await expect(ask('reports')).rejects.toEqual(refusedAs('E_NOT_FOUND'));
    await expect(ask('*')).rejects.toEqual(refusedAs('E_NOT_FOUND'));
  });

  it('about a key of the highest tier is refused: E_FORBIDDEN', async () => {
    await end(w);
    w = world();
    const high = await adopted(w, testFacts({ privileged: true }));
    await beginsRotation(w, high);
    await untilStep(w, high, 'confirm');
    await expect(overrideConfirm(w.ports, { keyId: high, consumer: 'api', reason: 'x' }, 'anna')).rejects.toEqual(refusedAs('E_FORBIDDEN'));
  });

  it('when nothing waits for it is refused: E_NOTHING_TO_DO', async () => {
    const idle = await adopted(w, testFacts({ id: 'payments/idle', exclusive: false, params: { principal: 'idle' } }));
    await setHold(w.ports, { keyId: idle, reason: 'x', until: '2026-01-06T00:00:00.000Z' }, 'anna');
    await expect(overrideConfirm(w.ports, { keyId: idle, consumer: 'api', reason: 'x' }, 'anna')).rejects.toEqual(
      refusedAs('E_NOTHING_TO_DO'),
    );
  });
});
