import { commit } from '../commit.ts';
import { ConditionFailed, Refused } from '../errors.ts';
import type { DueNow } from '../flags.ts';
import { findKey, uuidOf } from '../items.ts';
import type { Key, Revocation } from '../key.ts';
import type { TriggerAction } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { openKeyReview } from '../reviews/open.ts';
import { revoke } from '../revoke/begin.ts';
import { holdsReissue } from '../revoke/scope.ts';
import { beginRotation } from '../rotate/begin.ts';
import { instant } from '../time.ts';
import { enqueue, spend } from './budget.ts';
import { decide } from './decide.ts';
import { noteDeparture } from './departure.ts';
import type { Report, Taken } from './report.ts';
import type { Target } from './targets.ts';

/** Who hands a report in: a machine has a budget, a person under their own name has none. */
export interface Handed {
  readonly actor: string;
  readonly budget: boolean;
}

/**
 * Takes a report about one key: decides by the policy's table what it does, and does it. Afterwards the key has it on record, with what was
 * done and why. The same report again changes nothing; another one about versions that are being ended is put on record. A leak touches only
 * the versions that it names. Beyond the sender's budget it waits for a responder instead of acting. A verified leak waits for none of this:
 * where the policy, the budget or the record of reports cannot be read, it revokes, and a line of the log says so.
 * Throws InventoryUnavailable: then the sender sends it again.
 */
export async function takeReport(ports: Ports, report: Report, target: Target, handed: Handed): Promise<Taken> {
  const { key, versions, confidence } = target;
  const keyId = key.facts.id;
  const requestId = requestIdOf(report, keyId);
  const read = reader(ports, keyId, report.source === 'leak' && confidence === 'verified');
  const byDefault = { does: 'revoke', because: 'a verified leak, and the policy cannot be read' } as const;
  const { does, because } = await read('the policy', byDefault, () => decide(ports.policy, key, { source: report.source, confidence }));
  const seen = await read('the record of reports', undefined, () => ports.inventory.get(seenKey(keyId, requestId)));
  if (seen) return { keyId, versions, did: 'known', because };
  if (does === 'revoke' || does === 'contain') {
    const { revocation } = (await findKey(ports, keyId)) ?? key;
    if (revocation && isBeingEnded(revocation, versions)) {
      const holds = holdsReissue([{ source: report.where, hold: does === 'contain' }]) && !holdsReissue(revocation.requests);
      // It ends nothing more, and so costs its sender nothing.
      if (holds) return actOn(ports, report, target, does, because, handed.actor);
      await note(ports, report, target, { did: 'joined', because, requestId }, handed.actor);
      return { keyId, versions, did: 'joined', because };
    }
  }
  const acts = does === 'revoke' || does === 'contain' || does === 'rotate';
  if (acts && handed.budget && !(await read('the budget of its sender', true, () => spend(ports, report.sender)))) {
    const { sender, eventId, source, where, says } = report;
    await enqueue(ports, { sender, eventId, keyId, versions, source, confidence, where, says, at: instant(ports.clock.now()) });
    await openKeyReview(
      ports,
      keyId,
      { kind: 'trigger', trigger: requestId, cause: `${sender} has sent more reports than may act by themselves: ${says}` },
      handed.actor,
    );
    ports.log.measure({ reportsQueued: 1 });
    return { keyId, versions, did: 'queued', because: `${sender} has used up its budget` };
  }
  return actOn(ports, report, target, does, because, handed.actor);
}

/** Reads what a report asks before it acts. For a verified leak, `instead` stands for what cannot be read. */
function reader(ports: Ports, keyId: string, verifiedLeak: boolean) {
  return async <T>(what: string, instead: T, ask: () => T | Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!verifiedLeak) throw error;
      ports.log.warn(`a verified leak acts without ${what}`, { key: keyId, error: (error as Error).name });
      return instead;
    }
  };
}

/**
 * Whether the provider was already told, in an open revocation, to refuse all that a report names. Once it is resolved which versions that
 * are, these count and no others: the version that is issued next is not among them, although everything before it was to end.
 */
function isBeingEnded({ firstDisabledAt, scope: ending, requests }: Revocation, versions: readonly number[]): boolean {
  if (!firstDisabledAt || versions.length === 0) return false;
  if (ending) return versions.every((number) => ending.includes(number));
  return requests.some(({ scope }) => scope === 'all' || versions.every((number) => scope.includes(number)));
}

/** Does what was decided for one key, and puts it on record there. */
export async function actOn(
  ports: Ports,
  report: Omit<Report, 'subject'>,
  target: Target,
  does: TriggerAction,
  because: string,
  actor: string,
): Promise<Taken> {
  const { key, versions } = target;
  const keyId = key.facts.id;
  const requestId = requestIdOf(report, keyId);
  const did = await act(ports, report, target, does, requestId, actor);
  await note(ports, report, target, { did, because, requestId }, actor);
  return { keyId, versions, did, because };
}

async function act(
  ports: Ports,
  report: Omit<Report, 'subject'>,
  { key, versions, as }: Target,
  does: TriggerAction,
  requestId: string,
  actor: string,
): Promise<Taken['did']> {
  const keyId = key.facts.id;
  const reason = `${report.sender}: ${report.says}`.slice(0, 500);
  if (report.source === 'departure' && as) await noteDeparture(ports, key, as, report, actor);
  if (does === 'revoke' || does === 'contain') {
    const scope = versions.length > 0 ? versions : 'all';
    const hold = does === 'contain' ? { hold: true } : {};
    const reported = report.at ? { reportedAt: report.at } : {};
    const { alreadyDead, workflow } = await revoke(
      ports,
      { keyId, scope, reason, source: report.where, requestId, ...hold, ...reported },
      actor,
    );
    // Not while it has still to be tried.
    return alreadyDead && workflow === 'not needed' ? 'dead already' : does;
  }
  if (does === 'rotate') return rotateSoon(ports, key, reasonToRotate(report), requestId, actor);
  if (does === 'case') await openKeyReview(ports, keyId, { kind: 'trigger', trigger: requestId, cause: reason }, actor);
  return does;
}

/** Rotated now, or as soon as what stands in its way is over. A key that nothing may rotate becomes a case. */
async function rotateSoon(ports: Ports, key: Key, reason: string, requestId: string, actor: string): Promise<'rotate' | 'case'> {
  const keyId = key.facts.id;
  try {
    await beginRotation(ports, { keyId, reason, trigger: requestId }, actor);
    return 'rotate';
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code } = error;
    if (key.state === 'active' && (code === 'E_BUSY' || code === 'E_TOO_SOON' || code === 'E_HELD')) {
      await commit(ports, keyId, () => ({
        actor,
        set: {
          dueNow: {
            cause: reason,
            message: `${reason}, when it could not be rotated at once`,
            at: instant(ports.clock.now()),
          } satisfies DueNow,
        },
        events: [{ event: 'rotation.asked', detail: { reason, waits: code } }],
      }));
      return 'rotate';
    }
    await openKeyReview(ports, keyId, { kind: 'trigger', trigger: requestId, cause: `${reason}: cannot be rotated now (${code})` }, actor);
    return 'case';
  }
}

/** The word that the history, the due verdict and the consumers see. */
function reasonToRotate({ source, sender }: Pick<Report, 'source' | 'sender'>): string {
  if (source === 'system-change') return 'migration';
  if (source === 'departure') return 'departure';
  return source === 'suspicious-use' ? `suspicious use, reported by ${sender}` : `${source}, reported by ${sender}`;
}

async function note(
  ports: Ports,
  report: Omit<Report, 'subject'>,
  { key, versions, confidence }: Target,
  { did, because, requestId }: { readonly did: string; readonly because: string; readonly requestId: string },
  actor: string,
): Promise<void> {
  const { sender, eventId, source, where, evidence, at } = report;
  const detail = {
    ...{ sender, event: eventId.slice(0, 200), source, confidence, where, did, because, versions: versions.join(' ') || 'all' },
    ...(evidence ? { evidence } : {}),
    ...(at ? { at } : {}),
  };
  const seen = { ...seenKey(key.facts.id, requestId), sender, at: instant(ports.clock.now()), did };
  await commit(ports, key.facts.id, () => ({
    actor,
    permit: 'toward dead',
    writes: [{ do: 'put', item: seen, when: [{ item: 'absent' }] }],
    events: [{ event: 'report.taken', detail }],
  })).catch((error: Error) => {
    // The same report at the same moment.
    if (!(error instanceof ConditionFailed)) throw error;
  });
}

const seenKey = (keyId: string, requestId: string) => ({ pk: `REPORTS#${keyId}`, sk: requestId });

/** The request by which a report acts on a key: made of the sender's event, so that the same event is the same request. */
function requestIdOf({ sender, eventId }: Pick<Report, 'sender' | 'eventId'>, keyId: string): string {
  return `report-${uuidOf('report', sender, eventId, keyId)}`;
}
