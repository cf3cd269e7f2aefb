import { ConditionFailed } from '../errors.ts';
import type { Item } from '../inventory.ts';
import { attribute, findKey, operationIdOf, operationKey } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { revoke } from '../revoke/begin.ts';
import { startExecution } from '../rotate/begin.ts';
import { containTargetSeconds } from '../settings.ts';
import { after, instant, milliseconds } from '../time.ts';
import { type Bulk, type BulkKey, bulkKey, bulkRequestId, getBulk, keysFrom, listBulks, mostNamed } from './bulk.ts';

/** How long one look may go on, and how long it holds the work against another one, in seconds: that of a dead process is over after that. */
const leaseSeconds = 60;

/** Keys that are worked on side by side; progress is on record after each such batch. */
const batch = 10;

/** Calls in a second that a provider takes where nothing is known of it. */
const defaultCallsPerSecond = 10;
/** What one revocation asks of its provider once its execution runs: disable again, list and probe a few times, mint again, verify. */
const callsPerExecution = 12;
/** Unused calls that a budget keeps, in seconds of the rate. */
const burstSeconds = 10;

/**
 * Goes on with a bulk revocation for at most `seconds`: fences and disables what is next, then starts executions, then looks which keys are
 * contained. Within each provider's rate, less the share that the policy keeps for single revocations. All first disables come before the
 * first execution, so before the first reissue. Where it stands is on record after every batch: whoever comes next goes on there.
 * Returns how it stands, and after how many seconds there is something to do again. Throws Refused E_NOT_FOUND.
 */
export async function advanceBulk(
  ports: Ports,
  request: { readonly id: string; readonly seconds: number },
): Promise<{ readonly bulk: Bulk; readonly againSeconds: number }> {
  const until = ports.clock.now() + request.seconds * 1000;
  let bulk = await claim(ports, await getBulk(ports, request.id), request.seconds);
  if (!bulk) return { bulk: await getBulk(ports, request.id), againSeconds: 5 };
  let againSeconds = 0;
  while (bulk.phase !== 'done' && ports.clock.now() < until) {
    const next: { bulk: Bulk; waitSeconds: number } = await step(ports, bulk);
    bulk = next.bulk;
    againSeconds = next.waitSeconds;
    if (againSeconds > 0) break;
  }
  return { bulk: await save(ports, bulk, { leaseUntil: '' }), againSeconds };
}

/** What the reconciler does for bulk revocations that nobody watches. Returns how many are not done. One's trouble does not stop the others. */
export async function advanceBulks(ports: Ports, seconds: number): Promise<number> {
  const open = (await listBulks(ports)).filter(({ phase }) => phase !== 'done');
  for (const { id } of open) {
    await advanceBulk(ports, { id, seconds }).catch((error: Error) =>
      ports.log.error('a bulk revocation was not advanced', { bulk: id, error: error.name }),
    );
  }
  return open.length;
}

/** Whether a key's revocation belongs to a bulk whose disables have not all been made: no execution of it starts yet. */
export async function isHeldByBulk(ports: Ports, key: Key): Promise<boolean> {
  const request = key.revocation?.requests.find(({ requestId }) => requestId.startsWith(bulkRequestId('')));
  if (!request || key.revocation?.requests.length !== 1) return false;
  const item = await ports.inventory.get(bulkKey(request.requestId.slice(bulkRequestId('').length)));
  return item?.['phase'] === 'disabling';
}

async function claim(ports: Ports, bulk: Bulk, seconds: number): Promise<Bulk | null> {
  const now = instant(ports.clock.now());
  if (bulk.leaseUntil > now) return null;
  try {
    return await save(ports, bulk, { leaseUntil: after(now, seconds + leaseSeconds) });
  } catch (error) {
    if (error instanceof ConditionFailed) return null;
    throw error;
  }
}

async function save(ports: Ports, bulk: Bulk, change: Partial<Bulk>): Promise<Bulk> {
  const next: Bulk = { ...bulk, ...change, revision: bulk.revision + 1 };
  const item: Item = { ...bulkKey(bulk.id), ...(attribute(next) as object) };
  await ports.inventory.write([{ do: 'put', item, when: [{ path: 'revision', is: '=', value: bulk.revision }] }], 'toward dead');
  return next;
}

type Stepped = { readonly bulk: Bulk; readonly waitSeconds: number };

function step(ports: Ports, bulk: Bulk): Promise<Stepped> {
  if (bulk.phase === 'disabling') return disableNext(ports, bulk);
  return bulk.started < bulk.total ? startNext(ports, bulk) : lookNext(ports, bulk);
}

async function disableNext(ports: Ports, bulk: Bulk): Promise<Stepped> {
  const { taken, budgets, waitSeconds } = await take(ports, bulk, bulk.disabled, ({ scope }) => (scope === 'all' ? 1 : scope.length));
  if (taken.length === 0) return { bulk, waitSeconds };
  const failures = await Promise.all(taken.map(({ take: one }) => revokeOnce(ports, bulk, one)));
  const failed = [...bulk.failed, ...failures.filter((id) => id !== null)].slice(0, mostNamed);
  const disabled = bulk.disabled + taken.length;
  const over = disabled >= bulk.total;
  const now = instant(ports.clock.now());
  return {
    bulk: await save(ports, bulk, { budgets, failed, disabled, ...(over ? { phase: 'proving', disabledAt: now } : {}) }),
    waitSeconds: 0,
  };
}

/** Revokes one key under the incident's own request. Returns its id when the provider has not answered yet. */
async function revokeOnce(ports: Ports, bulk: Bulk, { keyId, scope }: BulkKey): Promise<string | null> {
  const requestId = bulkRequestId(bulk.id);
  try {
    const key = await findKey(ports, keyId);
    const mine = key?.revocation?.requests.some((one) => one.requestId === requestId);
    if (!key || (mine && key.revocation?.firstDisabledAt)) return null;
    if (await ports.inventory.get(operationKey(keyId, operationIdOf('revoke', keyId, requestId)))) return null;
    const { reason, source, reportedAt, actor } = bulk;
    const { versions } = await revoke(
      ports,
      { keyId, scope, reason, source, requestId, reportedAt, kind: 'bulk', execution: 'later' },
      actor,
    );
    return versions.some(({ firstDisable }) => firstDisable === 'failed') ? keyId : null;
  } catch (error) {
    ports.log.error('a key of a bulk revocation was not revoked', { key: keyId, bulk: bulk.id, error: (error as Error).name });
    return keyId;
  }
}

async function startNext(ports: Ports, bulk: Bulk): Promise<Stepped> {
  const { taken, budgets, waitSeconds } = await take(ports, bulk, bulk.started, () => callsPerExecution);
  if (taken.length === 0) return { bulk, waitSeconds };
  await Promise.all(
    taken.map(async ({ key }) => {
      const revocation = key?.revocation;
      if (key && revocation?.step === 'disable') await startExecution(ports, key.facts.id, revocation.id, revocation.startSeq);
    }),
  );
  return { bulk: await save(ports, bulk, { budgets, started: bulk.started + taken.length }), waitSeconds: 0 };
}

/** Goes past every key that is contained; one that is late is named, and does not hold up the look at the others. */
async function lookNext(ports: Ports, bulk: Bulk): Promise<Stepped> {
  const keys = (await keysFrom(ports, bulk.id, bulk.proven)).slice(0, 5 * batch);
  const states = await Promise.all(keys.map(({ keyId }) => findKey(ports, keyId)));
  const isLate = ports.clock.now() > milliseconds(bulk.disabledAt ?? bulk.startedAt) + (containTargetSeconds + bulk.total) * 1000;
  const late: string[] = [];
  let passed = 0;
  for (const key of states) {
    const open = key?.state === 'revoking';
    if (open && !isLate) break;
    if (open) late.push(key.facts.id);
    passed += 1;
  }
  const proven = bulk.proven + passed;
  const ended = proven >= bulk.total ? ({ phase: 'done', endedAt: instant(ports.clock.now()) } as const) : {};
  const next = passed > 0 ? await save(ports, bulk, { proven, late: [...bulk.late, ...late].slice(0, mostNamed), ...ended }) : bulk;
  return { bulk: next, waitSeconds: passed > 0 ? 0 : 2 };
}

/** The next keys for whose calls their providers' budgets are enough, and the budgets after that; or how long until there is one. */
async function take(ports: Ports, bulk: Bulk, from: number, cost: (key: BulkKey) => number) {
  const keys = (await keysFrom(ports, bulk.id, from)).slice(0, batch);
  const read = await Promise.all(keys.map(async (one) => ({ take: one, key: await findKey(ports, one.keyId) })));
  const budgets: Record<string, { at: string; calls: number }> = { ...bulk.budgets };
  const now = ports.clock.now();
  const taken: typeof read = [];
  for (const one of read) {
    const provider = one.key?.facts.provider ?? '';
    const perSecond = rateOf(ports, provider);
    const known = budgets[provider];
    const grown = known ? known.calls + ((now - milliseconds(known.at)) / 1000) * perSecond : perSecond;
    const calls = Math.min(burstSeconds * perSecond, grown);
    const wanted = Math.min(cost(one.take), burstSeconds * perSecond);
    if (calls < wanted) return { taken, budgets, waitSeconds: Math.max(1, Math.ceil((wanted - calls) / perSecond)) };
    budgets[provider] = { at: instant(now), calls: calls - wanted };
    taken.push(one);
  }
  return { taken, budgets, waitSeconds: 0 };
}

/** Calls in a second that a bulk revocation may make: the provider's, less what is kept for single revocations. */
function rateOf(ports: Ports, provider: string): number {
  let known: number | undefined;
  try {
    known = ports.provider(provider).traits.callsPerSecond;
  } catch {
    // A key whose provider is no longer installed fails by itself, and paces nobody.
  }
  return (known ?? defaultCallsPerSecond) * (1 - ports.policy.pace.revokeShare);
}
