/** How the vendor behaves in general. Times in milliseconds. */
export interface Behaviour {
  /** Most credentials of one principal. */
  readonly maxLive: number;
  /** Whether disabled ones count. */
  readonly countsDisabled: boolean;
  /** How long until a new value is accepted, a disabled one refused, and a change seen in lists. */
  readonly activateMs: number;
  readonly disableMs: number;
  readonly listMs: number;
  /** Last-used is rounded down to a multiple of this. */
  readonly lastUsedMs: number;
  /** Whether asking `whoami` counts as use. */
  readonly whoamiIsUse: boolean;
  readonly pageSize: number;
}

export const defaultBehaviour: Behaviour = {
  maxLive: 5,
  countsDisabled: false,
  activateMs: 0,
  disableMs: 0,
  listMs: 0,
  lastUsedMs: 1,
  whoamiIsUse: true,
  pageSize: 50,
};

export const operations = ['create', 'list', 'get', 'disable', 'delete', 'whoami', 'work'] as const;
export type OperationName = (typeof operations)[number];

/**
 * What can go wrong with one call. Before the effect: error-before (500), unavailable (503), throttled (429), permanent
 * (422), redirect, reset. With the effect done: timeout-after-success (no answer until the caller gives up), lost-response,
 * error-after (500), malformed, truncated, oversized. The rest bend what the vendor says or when it becomes true.
 */
export const faultKinds = [
  'error-before',
  'unavailable',
  'throttled',
  'permanent',
  'redirect',
  'reset',
  'timeout-after-success',
  'lost-response',
  'error-after',
  'malformed',
  'truncated',
  'oversized',
  'slow',
  'wrong-identity',
  'accepts-everything',
  'refuses-everything',
  'create-not-yet-accepted',
  'disable-not-yet-effective',
  'disable-ignored',
  'list-not-yet-consistent',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Only this operation; every one when absent. */
  readonly on?: OperationName;
  /** How many calls it strikes; until cleared when absent. */
  readonly count?: number;
  /** For slow and the `not-yet` kinds: how long. Default: until `settle`. */
  readonly ms?: number;
  readonly retryAfterSeconds?: number;
  /** For redirect: where to. */
  readonly location?: string;
}

const beforeEffect: ReadonlySet<FaultKind> = new Set(['error-before', 'unavailable', 'throttled', 'permanent', 'redirect', 'reset']);
const instead: ReadonlySet<FaultKind> = new Set([
  'timeout-after-success',
  'lost-response',
  'error-after',
  'malformed',
  'truncated',
  'oversized',
]);

/** The faults that are set now. */
export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  list(): readonly Fault[];
  /** Takes the first fault of a kind that strikes this call, and counts it. */
  take(operation: OperationName, ...kinds: readonly FaultKind[]): Fault | undefined;
  takeBefore(operation: OperationName): Fault | undefined;
  takeInstead(operation: OperationName): Fault | undefined;
}

/** An empty set of faults. */
export function faults(): Faults {
  let set: { fault: Fault; left: number }[] = [];
  const take = (operation: OperationName, kinds: ReadonlySet<FaultKind>) => {
    const found = set.find(({ fault }) => kinds.has(fault.kind) && (fault.on ?? operation) === operation);
    if (found && --found.left <= 0) set = set.filter((entry) => entry !== found);
    return found?.fault;
  };
  return {
    add: (fault) => void set.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY }),
    clear: () => {
      set = [];
    },
    list: () => set.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, count: left } : fault)),
    take: (operation, ...kinds) => take(operation, new Set(kinds)),
    takeBefore: (operation) => take(operation, beforeEffect),
    takeInstead: (operation) => take(operation, instead),
  };
}
