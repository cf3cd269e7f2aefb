import { ConditionFailed, Refused } from '../errors.ts';
import { attribute, uuidOf } from '../items.ts';
import { writeJournal } from '../journal.ts';
import type { LeakSource } from '../leak-sources.ts';
import type { Ports } from '../ports.ts';
import { openReview } from '../reviews/open.ts';
import { instant } from '../time.ts';
import { type Bulk, type BulkSelector, bulkJournal, bulkKey, chunkItems, getBulk } from './bulk.ts';
import { selectKeys, wordsOf } from './select.ts';

export interface BulkOrder {
  readonly selector: BulkSelector;
  readonly reason: string;
  readonly source: LeakSource;
  /** How many keys whoever asks believes it to be: typed back from the preview. Null: a system of record says so, and nobody counted. */
  readonly count: number | null;
  readonly requestId: string;
  readonly reportedAt?: string;
}

/**
 * Begins a bulk revocation: afterwards its keys are on record, in the order in which they will be fenced, and nothing was disabled yet. The
 * same request id again is the same incident. Throws Refused E_BUSY when another number of keys is meant than was typed, E_NOTHING_TO_DO.
 */
export async function beginBulk(ports: Ports, order: BulkOrder, actor: string): Promise<Bulk> {
  const { selector, reason, source, count, requestId } = order;
  const id = uuidOf('bulk', requestId).slice(0, 13);
  const known = await ports.inventory.get(bulkKey(id));
  if (known) return getBulk(ports, id);
  const keys = (await selectKeys(ports, selector)).map(({ take }) => take);
  if (keys.length === 0) throw new Refused('E_NOTHING_TO_DO', `there are no ${wordsOf(selector)} that live`);
  if (count !== null && keys.length !== count) {
    throw new Refused('E_BUSY', `these are ${keys.length} keys now, and ${count} were confirmed: look at the preview again`, [
      { path: 'count', message: `must be ${keys.length}` },
    ]);
  }
  for (const item of chunkItems(id, keys)) await ports.inventory.write([{ do: 'put', item }], 'toward dead');
  const now = instant(ports.clock.now());
  const bulk: Bulk = {
    id,
    phase: 'disabling',
    what: wordsOf(selector),
    reason,
    source,
    actor,
    requestId,
    reportedAt: order.reportedAt ?? now,
    startedAt: now,
    total: keys.length,
    disabled: 0,
    started: 0,
    proven: 0,
    failed: [],
    late: [],
    disabledAt: null,
    endedAt: null,
    budgets: {},
    leaseUntil: '',
    revision: 0,
  };
  try {
    await writeJournal(
      ports,
      bulkJournal,
      [{ actor, event: 'bulk.begun', detail: { bulk: id, what: bulk.what, keys: keys.length, reason, source } }],
      [{ do: 'put', item: { ...bulkKey(id), ...(attribute(bulk) as object) }, when: [{ item: 'absent' }] }],
    );
  } catch (error) {
    // The same request at the same moment.
    if (!(error instanceof ConditionFailed)) throw error;
  }
  // Judged as a whole: one review for all of its keys. A review that cannot be opened now does not hold up the first key.
  const cause = `${actor} revoked ${keys.length} ${bulk.what} without approval: ${reason}`.slice(0, 500);
  await openReview(ports, { kind: 'incident', id }, { kind: 'emergency', trigger: id, cause }, actor).catch((error: Error) =>
    ports.log.error('the review of a bulk revocation was not opened', { bulk: id, error: error.name }),
  );
  return getBulk(ports, id);
}
