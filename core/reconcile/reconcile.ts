import { advanceBulks } from '../bulk/advance.ts';
import { commit } from '../commit.ts';
import { advanceDrill } from '../drills/advance.ts';
import { TableRestored } from '../errors.ts';
import { findKey, orphanPartition, outboxPartition } from '../items.ts';
import type { Key } from '../key.ts';
import { openSeconds } from '../measure.ts';
import { measuredOf } from '../metric.ts';
import { advanceOffboarding } from '../offboard.ts';
import { publishPending } from '../outbox.ts';
import { leaveAlone } from '../pace.ts';
import { applyPolicy } from '../policy/apply-policy.ts';
import type { Ports } from '../ports.ts';
import { escalateReviews } from '../reviews/escalate.ts';
import { openPeriodicReviews } from '../reviews/periodic.ts';
import { noteTold } from '../revoke/milestone.ts';
import { nextWatch, watchDead } from '../revoke/watch.ts';
import { quiesceSeconds } from '../rotate/abort.ts';
import { after, instant } from '../time.ts';
import { reconcileEscalations } from './escalations.ts';
import { repairIdle } from './idle.ts';
import { noteUse } from './note-use.ts';
import { resume, resumeIfStuck } from './stuck.ts';

export interface Reconciled {
  readonly looked: number;
  readonly repaired: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Looks at every key whose time to be looked at has come (protocol.md §8), every minute, in every mode, from the records alone. Always:
 * notices that were committed but not sent, audit lines not yet filed, operations without progress, quiet-time evidence. Only while the
 * key is idle and quiesced: orphans, dead versions past their soak, labels, drift. One key's trouble never stops the others.
 */
export async function reconcile(ports: Ports): Promise<Reconciled> {
  const repaired: string[] = [];
  const failed: string[] = [];
  const keys: Key[] = [];
  for await (const { keyId } of ports.inventory.hints('look', instant(ports.clock.now()))) {
    const key = await findKey(ports, keyId);
    if (key) keys.push(key);
  }
  // Revocations first, then what else is open; several at once, so that a silent provider does not keep the others waiting.
  keys.sort((a, b) => urgency(a) - urgency(b));
  const next = keys.values();
  const worker = async () => {
    for (const key of next) {
      const keyId = key.facts.id;
      if (key.state === 'revoking') {
        await leaveAlone(ports, key.facts.provider).catch(() => undefined);
        ports.log.measure({ revocationOpenSeconds: openSeconds(key.revocation, ports.clock.now()) }, measuredOf(key));
      }
      try {
        const done = await reconcileKey(ports, key);
        if (done.length) repaired.push(`${keyId}: ${done.join(', ')}`);
      } catch (error) {
        failed.push(keyId);
        ports.log.error('a key was not reconciled', {
          key: keyId,
          error: (error as Error).name,
          message: (error as Error).message.slice(0, 200),
        });
      }
    }
  };
  // All to their end, so that nothing is under way when this returns, whatever becomes of one.
  const ended = await Promise.allSettled([
    ...Array.from({ length: atOnce }, worker),
    advanceBulks(ports, bulkSeconds),
    escalateReviews(ports).then((done) => repaired.push(...done)),
    openPeriodicReviews(ports),
    applyPolicy(ports, policySeconds).then((done) => done.map((what) => ports.log.info(what))),
  ]);
  const lost = ended.find((one) => one.status === 'rejected');
  if (lost) throw lost.reason;
  const looked = keys.length;
  await reconcileEscalations(ports)
    .then(({ open, unsent }) => ports.log.measure({ escalationsOpen: open, pagesWaiting: unsent }))
    .catch((error: Error) => {
      failed.push('escalations');
      ports.log.error('escalations were not looked at', { error: error.name });
    });
  ports.log.measure({ reconcileRuns: 1, keysNotReconciled: failed.length });
  return { looked, repaired, failed };
}

/** Starts every open operation again at once, under a new execution of the same steps. For a process that has just started and runs nothing yet. Returns the operations' ids. */
export async function resumeAll(ports: Ports): Promise<string[]> {
  const resumed: string[] = [];
  for await (const { keyId } of ports.inventory.hints('keys')) {
    const key = await findKey(ports, keyId);
    try {
      const operation = key && (await resume(ports, key, 'the process was started again'));
      if (operation) resumed.push(operation);
    } catch (error) {
      // What may not go on now, the reconciler starts when it may.
      if (!(error instanceof TableRestored)) throw error;
      ports.log.warn('an operation waits until the table takes writes', { key: keyId });
    }
  }
  return resumed;
}

/** The longest that one run goes on with revocations of many keys, in seconds. */
const bulkSeconds = 40;

/** The longest that one run goes on with the keys of a policy that is new, in seconds. */
const policySeconds = 20;

/** How many keys are looked at side by side. */
const atOnce = 8;

const urgency = (key: Key): number => (key.revocation ? 0 : key.rotation ? 1 : 2);

async function reconcileKey(ports: Ports, key: Key): Promise<string[]> {
  const keyId = key.facts.id;
  const done: string[] = [];
  const unsent = await ports.inventory.list(outboxPartition(keyId));
  const failed = unsent.length ? await publishPending(ports, keyId) : 0;
  if (failed < unsent.length) done.push('notices sent');
  if (failed === 0) await noteTold(ports, key);
  const long = after(instant(ports.clock.now()), -ports.settings.stuckSeconds);
  const waiting = Math.min(failed, unsent.filter(({ sk }) => sk < long).length);
  if (waiting) ports.log.measure({ noticesWaiting: waiting }, measuredOf(key));
  // Attempts that only acquire leave lines on the key; none may grow without bound while nothing commits.
  if (key.pendingCount > 0) await commit(ports, keyId, () => ({ actor: 'reconciler', events: [] }));
  const watched = await watchDead(ports, key).catch((error: Error): string[] => {
    ports.log.warn('a dead version could not be looked at', { key: keyId, error: error.name });
    return [];
  });
  if (watched.length > 0) {
    // Whatever was seen, the record has moved: what else is to do here comes with the next look.
    return [...done, ...watched];
  }
  const drilled = await advanceDrill(ports, key);
  if (drilled) return [...done, drilled];
  if (!isIdle(key)) {
    const step = await resumeIfStuck(ports, key);
    return step ? [...done, step] : done;
  }
  if (isQuiesced(ports, key)) done.push(...(await repairIdle(ports, key)));
  const gone = isQuiesced(ports, key) ? await advanceOffboarding(ports, key) : null;
  if (gone) return [...done, gone];
  await noteUse(ports, key).catch((error: Error) => ports.log.warn('the use of a key was not seen', { key: keyId, error: error.name }));
  await markChecked(ports, key);
  return done;
}

/** No operation moves on this key; a contained key whose reissue is held counts as idle. */
function isIdle(key: Key): boolean {
  if (key.rotation) return false;
  return !key.revocation || (key.state === 'contained' && key.revocation.held === true);
}

function isQuiesced(ports: Ports, key: Key): boolean {
  return [key.lastEndedAt, key.repairingAt, key.revocation?.acquiredAt].every((at) => quiesceSeconds(ports, at) === 0);
}

/** The next look comes after the tier's interval (POL-T4), or when something is still to be done here, sooner: at the next round. */
async function markChecked(ports: Ports, key: Key): Promise<void> {
  const now = instant(ports.clock.now());
  const unsent = await ports.inventory.list(outboxPartition(key.facts.id));
  const orphans = await ports.inventory.list(orphanPartition(key.facts.id));
  const soon = unsent.length > 0 || orphans.length > 0 || Boolean(key.drill) || !isQuiesced(ports, key);
  const idleSeconds = Math.min(ports.settings.idleCheckSeconds, ports.policy.tiers[key.tier].probeEverySeconds);
  const idle = after(now, soon ? ports.settings.reconcileSeconds : idleSeconds);
  const watch = nextWatch(key);
  const lookAt = watch && watch < idle ? watch : idle;
  await commit(ports, key.facts.id, () => ({ actor: 'reconciler', set: { checkedAt: now }, lookAt, events: [] }));
}
