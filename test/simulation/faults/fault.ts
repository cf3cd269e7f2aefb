import type { Ports } from '../../../core/ports.ts';
import type { World } from '../../support/world.ts';
import type { Oracle } from '../oracle.ts';
import type { Random } from '../random.ts';
import type { Call } from '../watch.ts';
import type { CallName } from '../worker.ts';

/** What a fault may reach: the world from outside, never the product's own code. */
export interface Reach {
  readonly w: World;
  readonly oracle: Oracle;
  readonly choose: Random;
  /** The vendor, places and store as they are, without anybody watching. */
  readonly bare: Ports;
  readonly switches: Switches;
  /** Makes an old attempt's step run again, as a redriven execution would. */
  redrive(): void;
  /** Ends one running execution from outside. */
  stopExecution(): void;
  powerLoss(): void;
  say(line: string): void;
}

/** What stays wrong until it is switched back. Each counts, so that two faults of a kind may overlap. */
export interface Switches {
  staleIndexSeconds: number;
  skewMs: number;
  scheduleMisses: number;
  scheduleTwice: number;
  scheduleLateSeconds: number;
  noticesTwice: number;
  noticesLateSeconds: number;
  noticesReordered: number;
  staleCaches: number;
  silentServices: number;
  wrongProofs: number;
  noticesLost: number;
  fullLogs: number;
  activateSeconds: number;
  revokeSeconds: number;
}

/** A way in which the world misbehaves, by name. One of the three says how. */
export interface FaultKind {
  readonly name: string;
  /** Strikes one call: what becomes of it. */
  readonly strike?: { readonly fits: (name: CallName) => boolean; readonly meet: Meet };
  /** Meets every call that fits, for as long as the fault lasts. */
  readonly spell?: { readonly fits: (name: CallName) => boolean; readonly meet: Meet };
  /** Switches something for as long as the fault lasts. */
  readonly turns?: (switches: Switches, by: 1 | -1) => void;
  /** Happens once. */
  readonly happens?: (reach: Reach) => Promise<void> | void;
}

/** What a call meets: it may be made (`call.land`), delayed, made twice, refused. */
export type Meet = (call: Call, chance: Random) => Promise<unknown>;
