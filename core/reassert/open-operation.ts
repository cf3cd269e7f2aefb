import { dueOf } from '../due.ts';
import type { Write } from '../inventory.ts';
import { attribute, operationKey, putItem } from '../items.ts';
import type { Key, Rotation } from '../key.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { isEnding, type Version } from '../version.ts';

/** What becomes of an operation that was open when the copy was made. */
export interface Fate {
  readonly set: Readonly<Record<string, unknown>>;
  readonly writes: readonly Write[];
  readonly doubts: readonly string[];
  /** Whether an operation is still open afterwards. */
  readonly open: boolean;
}

/** Far beyond every execution number that was ever used: the name of an execution stays taken. */
const freshNumbers = 1_000_000;

/**
 * Judges the open operation by the version that is in use now. A revocation goes on. A rotation whose new version is in use is over once its old
 * one is dead; while that lives, consumers are asked again, because their proofs may be newer than the copy. One whose old version is in use
 * goes on. When another version is in use, other operations have followed it, and it ends.
 */
export function fateOf(ports: Ports, key: Key, versions: readonly Version[], current: number | null, complete: boolean): Fate {
  const { rotation, revocation } = key;
  const nothing: Fate = { set: {}, writes: [], doubts: [], open: false };
  if (revocation) return { ...nothing, set: { 'revocation.startSeq': revocation.startSeq + freshNumbers }, open: true };
  if (!rotation) return nothing;
  const now = instant(ports.clock.now());
  const madeAt = versions.find(({ number }) => number === current)?.createdAt ?? null;
  const ends = (number: number) => isEnding(versions.find((version) => version.number === number)?.state ?? 'destroyed');
  const over = {
    rotation: null,
    state: 'active',
    lastEndedAt: now,
    nextDueAt: dueOf({ ...key, current, currentMadeAt: madeAt, lastEndedAt: now }, ports.policy),
    dueBecause: 'interval',
    dueNow: null,
  };
  const goesOn = { 'rotation.startSeq': rotation.startSeq + freshNumbers, 'rotation.attemptId': '' };
  if (current === rotation.newVersion && ends(rotation.oldVersion))
    return { ...nothing, set: over, writes: [filed(key, rotation, 'done', now)] };
  if (current === rotation.newVersion) {
    const again = rotation.step === 'confirm' && !complete ? { 'rotation.step': 'distribute', 'rotation.confirmedAt': null } : {};
    return { ...nothing, set: { ...goesOn, ...again }, open: true };
  }
  if (current === (rotation.oldVersion || null)) return { ...nothing, set: goesOn, open: true };
  const left = versions.find(({ number }) => number === rotation.newVersion);
  const lives = left?.credentialId && !isEnding(left.state) && left.state !== 'minting';
  const doubts = lives ? [`version ${left.number}, of an operation that others followed, still lives`] : [];
  return { ...nothing, set: over, writes: [filed(key, rotation, 'superseded', now)], doubts };
}

function filed(key: Key, rotation: Rotation, outcome: 'done' | 'superseded', endedAt: string): Write {
  return putItem({
    ...operationKey(key.facts.id, rotation.id),
    ...(attribute({ ...rotation, taskToken: null, outcome, endedAt }) as object),
  });
}
