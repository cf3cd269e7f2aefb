import { beginDueDrill } from './drills/begin.ts';
import { type DueVerdict, dueVerdict, isOverdue, triggerOf } from './due.ts';
import { Refused } from './errors.ts';
import { activeException } from './exceptions/exception.ts';
import { installationState } from './installation.ts';
import { findKey, operationIdOf } from './items.ts';
import type { Key, Tier } from './key.ts';
import { takePlace } from './pace.ts';
import { closedFor } from './policy/calendar.ts';
import type { Ports } from './ports.ts';
import { beginRotation } from './rotate/begin.ts';
import { instant } from './time.ts';
import { upkeep } from './upkeep.ts';

export interface Swept {
  readonly looked: number;
  readonly started: readonly string[];
  readonly skipped: readonly { readonly keyId: string; readonly reason: string }[];
}

interface Due {
  readonly key: Key;
  readonly verdict: DueVerdict;
}

/**
 * What a tier's schedule does when it fires: looks at the due index, reads each key again, does what time asks for (core/upkeep.ts), and
 * starts one rotation per due key, as far as the policy's calendar and pace let it. The operation is named by key and due date, so a firing
 * that comes twice, late or not at all changes nothing. One key's trouble never stops the others. Costs what is due, not what exists.
 */
export async function sweep(ports: Ports, request: { readonly tier: Tier }): Promise<Swept> {
  const now = instant(ports.clock.now());
  const { pause } = await installationState(ports);
  const paused = pause !== null && pause.until > now;
  const due: Due[] = [];
  const started: string[] = [];
  const skipped: { keyId: string; reason: string }[] = [];
  let looked = 0;
  let overdue = 0;
  const failed = async (keyId: string, key: Key | undefined, error: unknown) => {
    const reason = error instanceof Refused ? error.code : (error as Error).name;
    skipped.push({ keyId, reason });
    if (key && (await isLeftOverdue(ports, key, now, paused))) overdue += 1;
    ports.log.warn('a due key was not started', { key: keyId, reason });
  };
  for await (const { keyId } of ports.inventory.hints('due', now)) {
    looked += 1;
    let key: Key | undefined;
    try {
      key = await findKey(ports, keyId);
      if (!key || key.tier !== request.tier || key.state !== 'active') continue;
      key = await upkeep(ports, key);
      if (!paused && (await beginDueDrill(ports, key))) {
        started.push(keyId);
        continue;
      }
      const verdict = dueVerdict(key, now, ports.policy);
      if (verdict.due) due.push({ key, verdict });
    } catch (error) {
      await failed(keyId, key, error);
    }
  }
  for (const { key, verdict } of due.sort(byUrgency)) {
    const keyId = key.facts.id;
    try {
      const kept = paused ? 'paused' : await keptBack(ports, key, verdict);
      if (kept) {
        skipped.push({ keyId, reason: kept });
        if (await isLeftOverdue(ports, key, now, paused)) overdue += 1;
        continue;
      }
      const begun = await beginRotation(ports, { keyId, reason: verdict.reason, trigger: triggerOf(key) }, 'schedule');
      if (begun.started) started.push(keyId);
    } catch (error) {
      await failed(keyId, key, error);
    }
  }
  ports.log.measure(
    { keysDue: started.length + skipped.length, keysStarted: started.length, keysOverdue: overdue },
    { tier: request.tier },
  );
  ports.log.info('sweep', { tier: request.tier, looked, started: started.length, skipped: skipped.length });
  return { looked, started, skipped };
}

/** What somebody asked for goes first, then what has waited longest. */
function byUrgency(a: Due, b: Due): number {
  const asked = Number(a.key.dueNow === null) - Number(b.key.dueNow === null);
  const [since, other] = [a.verdict.since ?? '', b.verdict.since ?? ''];
  return asked || (since < other ? -1 : since > other ? 1 : 0);
}

/** Why the schedule does not start a key's rotation now, or null: a closed window, or the pace at its provider. What has a cause, or is past its life, waits for no window. */
async function keptBack(ports: Ports, key: Key, verdict: DueVerdict): Promise<string | null> {
  if (key.facts.managedBy) return 'managed';
  const closed = closedFor(key, ports.policy, ports.clock.now());
  const urgent = key.dueNow !== null || verdict.reason === 'lifetime' || verdict.reason === 'vendor-expiry';
  if (closed && 'windows' in closed && !urgent) return 'window';
  if (closed && 'hold' in closed) return 'planned-hold';
  if (isKept(key, instant(ports.clock.now()))) return null;
  const place = await takePlace(ports, key, operationIdOf('rotate', key.facts.id, triggerOf(key)));
  return place === 'taken' ? null : `pace:${place}`;
}

/** Whether a key that this firing could not start still stands there overdue: another firing may have begun it at the same moment. */
async function isLeftOverdue(ports: Ports, known: Key, now: string, paused: boolean): Promise<boolean> {
  const key = (await findKey(ports, known.facts.id).catch(() => known)) ?? known;
  if (key.state !== 'active' || !isOverdue(key, now, ports.policy)) return false;
  return !paused && !isKept(key, now) && !closedFor(key, ports.policy, ports.clock.now());
}

/** A person said that it is not to rotate, or AWS does it: that is a finding of the key, and nothing that anybody has to be woken for. */
const isKept = (key: Key, now: string): boolean =>
  key.facts.mode === 'observe' ||
  key.facts.managedBy !== undefined ||
  (key.hold !== null && key.hold.until > now) ||
  activeException(key, 'rotation', now) !== undefined;
