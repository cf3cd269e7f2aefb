import { expect, test, vi } from 'vitest';
import { rekeyConsumer } from '../../consumer/consumer.ts';
import type { KeyNotice, Receipt } from '../../consumer/notice.ts';

const notice = (id: string, more: Partial<KeyNotice>): KeyNotice => ({
  ...{ id, type: 'key.issued', keyId: 'payments/stripe', time: '2026-11-24T08:00:00.000Z', operationId: 'rotate-1' },
  ...{ action: 'refresh', version: 2, audience: 'checkout', ...more },
});
const own = notice('1', { nonce: 'n' });
const forAll = notice('2', { audience: '*' });

/** A service that hears these notices in this order, and what it read and answered. */
async function hears(...notices: KeyNotice[]) {
  const receipts: Receipt[] = [];
  let reads = 0;
  const waiting = [notices];
  const service = rekeyConsumer({
    name: 'checkout',
    feed: { next: async (signal) => waiting.shift() ?? new Promise((resolve) => signal.addEventListener('abort', () => resolve([]))) },
    receipts: {
      send: async (receipt) => {
        receipts.push(receipt);
        return receipt.outcome !== 'moved' || receipt.proof ? 'accepted' : 'E_PROOF_REQUIRED';
      },
    },
    read: async () => `value ${++reads}`,
  });
  service.start();
  await vi.waitFor(() => expect(reads).toBeGreaterThan(0), { timeout: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await service.stop();
  return { outcomes: receipts.map(({ outcome, proof }) => `${outcome}${proof ? ' with proof' : ''}`), reads };
}

test.each([
  ['before', [forAll, own]],
  ['after', [own, forAll]],
])('what is told to everybody %s the notice for a service does not keep it from proving that it moved', async (_, notices) => {
  expect((await hears(...notices)).outcomes).toEqual(['heard', 'moved with proof']);
});

test('a subscriber that nobody registered reads the new value and answers nothing', async () => {
  expect(await hears(forAll)).toEqual({ outcomes: [], reads: 1 });
});

test('what everybody must stop using is stopped, and answered by those it is for', async () => {
  const stop = { action: 'stop-using', type: 'key.revoked' } as const;
  expect((await hears(notice('1', { ...stop, audience: '*' }))).outcomes).toEqual([]);
  expect((await hears(notice('1', stop))).outcomes).toEqual(['heard']);
});
