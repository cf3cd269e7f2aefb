import { ConditionFailed } from './errors.ts';
import { outboxKey, outboxPartition, pageItem, pagePartition } from './items.ts';
import type { Key } from './key.ts';
import type { Notice } from './notice.ts';
import type { NoticeData, NoticeDataOf, NoticeType, SeverityOf } from './notice-contract.ts';
import { note } from './notice-record.ts';
import type { Page } from './page.ts';
import type { Ports } from './ports.ts';

/** A notice about a key, ready for a commit. Its id is fixed here, so that consumers can drop repetitions. */
export function noticeFor<T extends NoticeType>(
  ports: Ports,
  key: Key,
  operationId: string,
  notice: { readonly type: T; readonly audience: string; readonly severity: SeverityOf<T>; readonly data: NoticeDataOf<T> },
): Notice {
  return {
    id: ports.randomId(),
    keyId: key.facts.id,
    time: new Date(ports.clock.now()).toISOString(),
    operationId,
    environment: key.facts.environment,
    tier: key.tier,
    ...notice,
    data: notice.data as NoticeData,
  };
}

/** Sends committed notices and removes each from the outbox once it was accepted. Never throws: what fails stays for the reconciler. Returns how many failed. */
export async function publish(ports: Ports, notices: readonly Notice[]): Promise<number> {
  const results = await Promise.all(
    notices.map(async (notice) => {
      try {
        await ports.notifier.publish(notice);
        await markSent(ports, notice);
        await ports.inventory.write([{ do: 'delete', key: outboxKey(notice) }], 'toward dead');
        return true;
      } catch (error) {
        ports.log.warn('notice not sent yet', { key: notice.keyId, type: notice.type, notice: notice.id, error: (error as Error).name });
        return false;
      }
    }),
  );
  return results.filter((sent) => !sent).length;
}

/** Notes that a notice to one consumer was sent; one from before there were such records has none. */
async function markSent(ports: Ports, { id: noticeId, keyId, audience: consumer, operationId }: Notice): Promise<void> {
  if (consumer === '*') return;
  const sentAt = new Date(ports.clock.now()).toISOString();
  try {
    await ports.inventory.write([note(keyId, { operationId, consumer, noticeId }, { sentAt })], 'toward dead');
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

/** Sends what is still in a key's outbox, oldest first. Returns how many failed. */
export async function publishPending(ports: Ports, keyId: string): Promise<number> {
  const items = await ports.inventory.list(outboxPartition(keyId));
  return publish(
    ports,
    items.map((item) => item['notice'] as unknown as Notice),
  );
}

/** Sends committed pages, as `publish` sends notices. Returns how many failed. */
export async function sendPages(ports: Ports, pages: readonly Page[]): Promise<number> {
  const results = await Promise.all(
    pages.map(async (page) => {
      try {
        await ports.pager.page(page);
        const { pk, sk } = pageItem(page);
        await ports.inventory.write([{ do: 'delete', key: { pk, sk } }]);
        return true;
      } catch (error) {
        ports.log.warn('page not sent yet', { page: page.id, level: page.level, error: (error as Error).name });
        return false;
      }
    }),
  );
  return results.filter((sent) => !sent).length;
}

/** Sends every page that is still in the outbox, oldest first. Returns how many failed. */
export async function sendPendingPages(ports: Ports): Promise<number> {
  const items = await ports.inventory.list(pagePartition);
  return sendPages(
    ports,
    items.map((item) => item['page'] as unknown as Page),
  );
}
