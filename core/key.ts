import type { AuditLine } from './audit.ts';
import type { Breach } from './breach.ts';
import type { Consumer } from './consumer.ts';
import type { Drill, DrillResult } from './drills/drill.ts';
import { IllegalMove } from './errors.ts';
import type { Exception } from './exceptions/exception.ts';
import type { Attention, DueNow, Hold, Offboarding, Use } from './flags.ts';
import type { LeakSource } from './leak-sources.ts';
import type { Approval } from './revoke/approval.ts';

/**
 * A key: the long-lived named thing in the inventory. Its facts come from the owner's file; its state moves only
 * along the table below (protocol.md §2).
 *
 *   registered → active ⇄ rotating → rolling-back → active
 *   any state that is not the end → revoking → contained → reissuing → active
 *   active | contained → offboarding → retired
 */
export type Tier = 'high' | 'medium' | 'low';

export const tiers: readonly Tier[] = ['high', 'medium', 'low'];

export type KeyState =
  | 'registered'
  | 'active'
  | 'rotating'
  | 'rolling-back'
  | 'revoking'
  | 'contained'
  | 'reissuing'
  | 'offboarding'
  | 'retired';

const unfinished: readonly KeyState[] = [
  'registered',
  'active',
  'rotating',
  'rolling-back',
  'revoking',
  'contained',
  'reissuing',
  'offboarding',
];

/** The legal moves K1–K14 of a key's state, by name, as data. */
export const keyMoves = {
  adopt: { from: ['registered'], to: 'active' },
  rotate: { from: ['active'], to: 'rotating' },
  rotated: { from: ['rotating'], to: 'active' },
  abort: { from: ['rotating'], to: 'rolling-back' },
  'rolled-back': { from: ['rolling-back'], to: 'active' },
  /** Version 1 by minting it: the same workflow, with nothing to retire and nothing to fall back to. */
  'first-issue': { from: ['registered'], to: 'rotating' },
  'first-issue-undone': { from: ['rolling-back'], to: 'registered' },
  revoke: { from: unfinished, to: 'revoking' },
  contain: { from: ['revoking'], to: 'contained' },
  reissue: { from: ['contained'], to: 'reissuing' },
  reissued: { from: ['reissuing'], to: 'active' },
  offboard: { from: ['active', 'contained'], to: 'offboarding' },
  offboarded: { from: ['offboarding'], to: 'retired' },
} as const satisfies Record<string, { from: readonly KeyState[]; to: KeyState }>;

export type KeyMove = keyof typeof keyMoves;

/** The state after a move. Throws IllegalMove when the table has no such arrow. */
export function moveKey(from: KeyState, move: KeyMove): KeyState {
  const legal: readonly KeyState[] = keyMoves[move].from;
  if (!legal.includes(from)) throw new IllegalMove(`a key that is ${from} cannot ${move}`);
  return keyMoves[move].to;
}

/** A place the value is delivered: the kind's adapter knows what `at` means (a path, a secret's name, a parameter's name). */
export interface DestinationSpec {
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly environment: string;
}

/** What the owner says about a key, and what the inventory keeps of it. Never a value. */
export interface KeyFacts {
  readonly id: string;
  /** Who answers for it, and for whom the team stands in. */
  readonly owner: string;
  readonly team: string;
  /** The part of the organisation it belongs to: evidence is kept apart by it. */
  readonly unit: string;
  readonly environment: string;
  readonly purpose: string;
  readonly provider: string;
  readonly account: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly privileged: boolean;
  readonly exposure: 'public' | 'internal' | 'isolated';
  /** Who may read it besides its consumers: people and systems, for the finding on more than ten readers. */
  readonly readers: readonly string[];
  readonly scopes: readonly string[];
  /** Meant to be seen by everybody, as in a web page: a report that it leaked changes nothing. */
  readonly publishable?: boolean;
  /** There to be rotated and revoked by drills, and used by nothing else. */
  readonly canary?: boolean;
  /** The approved store that holds the value. */
  readonly store: string;
  readonly destinations: readonly DestinationSpec[];
  readonly consumers: readonly Consumer[];
  /** The provider's principal belongs to Rekey alone, so that an unknown credential can be attributed. */
  readonly exclusive: boolean;
  readonly incident: { readonly contacts: readonly string[]; readonly reissue: 'automatic' | 'held' };
  /** How the key is watched: names of dashboards, alarms or feeds. */
  readonly monitors: readonly string[];
  /** ISO instant after which the vendor refuses it, where it has one. */
  readonly expiresAt: string | null;
  /** The least overlap the owner asks for, in seconds; null takes the tier's. */
  readonly overlapSeconds: number | null;
  /** Why the owner accepts that nothing works between the old version's end and each consumer's move, where the vendor cannot overlap. */
  readonly acceptsGap?: string;
  /** Who rotates it in our place: its versions are followed, its notices and its revocation are ours. */
  readonly managedBy?: 'secretsmanager';
  /** `observe`: everything is computed and reported, nothing is changed. */
  readonly mode: 'live' | 'observe';
}

export const rotateSteps = ['issue', 'distribute', 'confirm', 'verify', 'retire', 'done'] as const;
export type RotateStep = (typeof rotateSteps)[number] | 'rollback' | 'rolled-back';

/** The operation record of a rotation: its pins, and what it has shown so far. */
export interface Rotation {
  readonly id: string;
  readonly step: RotateStep;
  readonly startSeq: number;
  readonly attemptId: string;
  /** When the last attempt of any step acquired the key (ISO instant). */
  readonly acquiredAt: string | null;
  readonly reason: string;
  readonly actor: string;
  readonly startedAt: string;
  /** Pinned when the rotation starts; a re-run never derives them again. */
  readonly oldVersion: number;
  readonly newVersion: number;
  readonly mint: number;
  /** Set when Distribute ended: the earliest and the latest end of the overlap (ISO instants). */
  readonly distributedAt: string | null;
  readonly overlapUntil: string | null;
  readonly overlapCapAt: string | null;
  /** The vendor's budget until a new credential is accepted, as Issue found it, in seconds. */
  readonly activateSeconds?: number;
  /** How often those that have not proved their move were reminded, and when they were asked last after the cap. */
  readonly reminders?: number;
  readonly askedAt?: string;
  readonly confirmedAt: string | null;
  readonly verifiedAt: string | null;
  /** The point of no return: set before the old version is disabled; from then on only forward. */
  readonly ponr: boolean;
  /** Set when Confirm waits. Only our functions read it. */
  readonly taskToken: string | null;
  /** The error that began the rollback. */
  readonly firstCause: string | null;
  readonly rollbackAt: string | null;
  /** Executions that ended at `restartStep` without moving on, and when the last one was replaced. */
  readonly restarts: number;
  readonly restartStep: string | null;
  readonly resumedAt: string | null;
}

export const revokeSteps = ['disable', 'notify', 'validate', 'attribute', 'issue', 'distribute', 'verify', 'close', 'done'] as const;
export type RevokeStep = (typeof revokeSteps)[number];

/** One request to revoke: several may meet in one revocation (K9). */
export interface RevokeRequest {
  readonly requestId: string;
  readonly actor: string;
  readonly reason: string;
  readonly at: string;
  /** Which versions: all that are not dead, or the ones named. */
  readonly scope: 'all' | readonly number[];
  /** Where it leaked; `destination` and `unknown` hold the reissue. */
  readonly source: LeakSource;
  /** The reissue waits for a responder, whatever the source. */
  readonly hold?: boolean;
  /** No emergency: planned and approved where that is needed, an exercise, or part of a bulk revocation that is judged as a whole. */
  readonly kind?: 'planned' | 'drill' | 'bulk';
  /** When it was reported, where that was before the request. */
  readonly reportedAt?: string;
  /** Versions that were proven dead and are accepted again: nothing short of a new proof ends this request. */
  readonly alive?: readonly number[];
}

/** The operation record of a revocation. In META it is the map `revocation`, empty while there is none. */
export interface Revocation {
  readonly id: string;
  readonly step: RevokeStep;
  readonly startSeq: number;
  readonly attemptId?: string;
  /** When the last attempt acquired the key, and the last one that could write a destination (ISO instants). */
  readonly acquiredAt?: string;
  readonly reissueAcquiredAt?: string;
  /** When the displaced rotation's last attempt acquired the key. */
  readonly displacedAcquiredAt?: string;
  readonly openedAt: string;
  readonly requests: readonly RevokeRequest[];
  /** Versions that end in this revocation so far, and how many of the requests that covers. */
  readonly scope?: readonly number[];
  readonly resolved?: number;
  readonly oldVersion?: number;
  readonly newVersion?: number;
  readonly mint?: number;
  readonly activateSeconds?: number;
  /** When the provider had answered the first disable of every version, in the request itself; and when Disable had recorded it. */
  readonly firstDisabledAt?: string;
  readonly disabledAt?: string;
  /** When every version was proven dead, the first time and the last. */
  readonly firstContainedAt?: string;
  readonly containedAt?: string;
  /** When the last of the notices of the disable was sent; when the last consumer proved that it uses the new version. */
  readonly toldAt?: string;
  readonly healthyAt?: string;
  readonly sessionsEndedAt?: string;
  readonly strangers?: number;
  readonly proof?: string;
  readonly attributedAt?: string;
  readonly held?: boolean;
  readonly released?: boolean;
  readonly falseAlarm?: boolean;
  readonly distributedAt?: string;
  readonly verifiedAt?: string;
  readonly restarts?: number;
  readonly restartStep?: string;
  readonly resumedAt?: string;
}

/** A key as the inventory's META item holds it. */
export interface Key {
  readonly facts: KeyFacts;
  readonly tier: Tier;
  readonly state: KeyState;
  /** Only grows; a write that carries an older one is refused. */
  readonly fence: number;
  readonly audit: { readonly seq: number; readonly hash: string };
  /** Lines that single updates left on the key; the next transaction files them in the chain. */
  readonly pending: readonly AuditLine[];
  readonly pendingCount: number;
  readonly rotation: Rotation | null;
  readonly revocation: Revocation | null;
  readonly hold: Hold | null;
  readonly attention: Attention | null;
  readonly breaches: readonly Breach[];
  /** Version consumers should use, and the one before while the overlap lasts. Null before version 1. */
  readonly current: number | null;
  readonly lastVersion: number;
  /** When the version in use was made, by us or as the vendor tells. */
  readonly currentMadeAt: string | null;
  /** The version that somebody else made, and since when it is ours; null where the first one was minted. */
  readonly adopted: { readonly version: number; readonly at: string } | null;
  /** The end of the last exception from its schedule. */
  readonly exceptedUntil: string | null;
  readonly nextDueAt: string | null;
  /** What the due date was computed from where that is worth a reason: a period like any other, a raised tier, an exception that ended. */
  readonly dueBecause: 'interval' | 'tier-raised' | 'exception-ended';
  /** Asked for earlier than the schedule, or null. */
  readonly dueNow: DueNow | null;
  /** The last reminder of a due date that was sent. */
  readonly reminded: { readonly dueAt: string; readonly beforeSeconds: number } | null;
  readonly exceptions: readonly Exception[];
  /** When its owner last said that it is needed (at first, when it was registered); and whether that is being asked now. */
  readonly reviewedAt: string;
  readonly reviewOpen: boolean;
  /** What the vendor told of its use; absent while it was not asked, or does not tell. */
  readonly use?: Use | null;
  readonly lastEndedAt: string | null;
  /** When each consumer was heard last; and when those that came after the key itself were registered. By name. */
  readonly heardFrom?: Readonly<Record<string, string>>;
  readonly consumersSince?: Readonly<Record<string, string>>;
  /** A version that the vendor saw used after every consumer had left it, and when. */
  readonly unregisteredUse?: { readonly version: number; readonly at: string } | null;
  readonly registeredAt: string;
  readonly checkedAt: string | null;
  /** When the reconciler last took the key to repair it; null when those repairs have ended. */
  readonly repairingAt: string | null;
  /** A planned revocation that waits for somebody else's approval. */
  readonly approval?: Approval | null;
  /** Of a canary: the drill under way, and what the last one showed. */
  readonly drill?: Drill | null;
  readonly drilled?: DrillResult;
  /** Somebody decided that it goes for good: nothing is issued again. */
  readonly offboard?: Offboarding | null;
  /** A closed revocation of which not every notice was sent yet. */
  readonly untold?: string | null;
  /** Revoked versions whose death is looked at again, and when. */
  readonly watch?: readonly Watch[];
}

/** The next look at a revoked version: the how manieth it is, counted from 0. */
export interface Watch {
  readonly version: number;
  readonly look: number;
  readonly at: string;
  readonly deadAt: string;
}
