import { dueVerdict, isOverdue } from './due.ts';
import { Refused } from './errors.ts';
import { findKey } from './items.ts';
import type { Key, Tier } from './key.ts';
import type { Ports } from './ports.ts';
import { beginRotation } from './rotate/begin.ts';
import { instant } from './time.ts';

export interface Swept {
  readonly looked: number;
  readonly started: readonly string[];
  readonly skipped: readonly { readonly keyId: string; readonly reason: string }[];
}

/**
 * What a tier's schedule does when it fires: looks at the due index, reads each key again, and starts one rotation per due key. The
 * operation is named by key and due date, so a firing that comes twice, late or not at all changes nothing. One key's trouble never
 * stops the others. Costs what is due, not what exists.
 */
export async function sweep(ports: Ports, request: { readonly tier: Tier }): Promise<Swept> {
  const now = instant(ports.clock.now());
  const started: string[] = [];
  const skipped: { keyId: string; reason: string }[] = [];
  let looked = 0;
  let overdue = 0;
  for await (const { keyId } of ports.inventory.hints('due', now)) {
    looked += 1;
    let key: Key | undefined;
    try {
      key = await findKey(ports, keyId);
      if (!key || key.tier !== request.tier || key.state !== 'active') continue;
      const verdict = dueVerdict(key, now, ports.policy);
      if (!verdict.due) continue;
      const begun = await beginRotation(
        ports,
        { keyId, reason: verdict.reason, trigger: `${key.dueNow ?? key.nextDueAt}|${key.lastVersion}` },
        'schedule',
      );
      if (begun.started) started.push(keyId);
    } catch (error) {
      const reason = error instanceof Refused ? error.code : (error as Error).name;
      skipped.push({ keyId, reason });
      if (key && (await isLeftOverdue(ports, key, now))) overdue += 1;
      ports.log.warn('a due key was not started', { key: keyId, reason });
    }
  }
  ports.log.measure(
    { keysDue: started.length + skipped.length, keysStarted: started.length, keysOverdue: overdue },
    { tier: request.tier },
  );
  ports.log.info('sweep', { tier: request.tier, looked, started: started.length, skipped: skipped.length });
  return { looked, started, skipped };
}

/** Whether a key that this firing could not start still stands there overdue: another firing may have begun it at the same moment. */
async function isLeftOverdue(ports: Ports, known: Key, now: string): Promise<boolean> {
  const key = (await findKey(ports, known.facts.id).catch(() => known)) ?? known;
  return key.state === 'active' && isOverdue(key, now, ports.policy) && !isKeptBack(key, now);
}

/** A person said that it is not to rotate: that is a finding of the key, and nothing that anybody has to be woken for. */
const isKeptBack = (key: Key, now: string): boolean => key.facts.mode === 'observe' || (key.hold !== null && key.hold.until > now);
