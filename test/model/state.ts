/**
 * What the model remembers of one key, its provider, its destinations, its consumers and its attempts. Versions are named by their
 * place in `versions`; -1 names none. Two states that differ only in what nobody can see any more are the same state.
 */
export interface State {
  mode: Mode;
  /** The recorded step of the open operation. */
  step: Step;
  /** The point of no return is recorded. */
  ponr: boolean;
  /** The rollback has pointed every destination back. */
  restored: boolean;
  /** The version in use when the operation began, and the one it issues: pinned. */
  old: number;
  fresh: number;
  versions: Version[];
  /** A place that takes any write, and the secret store's label, which moves by compare and swap. */
  destinations: [number, number];
  /** What each consumer uses: the first reads the first destination, the second the second. */
  consumers: [number, number];
  /** Which consumer has proved that it uses the version that is waited for. */
  proved: [boolean, boolean];
  attempts: Attempt[];
  /** How many of each may still happen. */
  rotations: number;
  revokes: number;
  faults: number;
}

export interface Version {
  /** At the provider: warming is made and not accepted yet, cooling is disabled and still accepted. */
  credential: Credential;
  /** In the inventory. */
  record: Recorded;
  /** Leaked: in a revocation's scope. Acknowledged: the revocation said that it is dead. */
  mark: Mark;
}

/** One run of one step. Running: the workflow waits for it. Late: given up, nobody else has the fence yet. Fenced: given up, and shut out. */
export interface Attempt {
  step: Step;
  at: Position;
  status: Status;
  mode: Mode;
  /** The version it acts on. */
  target: number;
  /** What the label named when it was read. */
  seen: number;
}

const modes = ['idle', 'rotating', 'rolling back', 'revoking'] as const;
const steps = [
  'none',
  'issue',
  'distribute',
  'confirm',
  'verify',
  'retire',
  'quiesce',
  'roll back',
  'disable',
  'validate',
  'attribute',
  'close',
] as const;
const positions = [
  'begin',
  'intend delete',
  'delete',
  'intend abandon',
  'abandon',
  'intend create',
  'create',
  'record created',
  'undo',
  'store',
  'preflight',
  'intend write',
  'write',
  'intend label',
  'move label',
  'record delivered',
  'await consumers',
  'intend disable',
  'disable',
  'prove dead',
] as const;
const credentials = ['warming', 'accepted', 'cooling', 'refused', 'gone'] as const;
const records = ['none', 'created', 'stored', 'issued', 'live', 'dead'] as const;
const marks = ['clean', 'leaked', 'acknowledged'] as const;
const statuses = ['running', 'late', 'fenced'] as const;

export type Mode = (typeof modes)[number];
export type Step = (typeof steps)[number];
export type Position = (typeof positions)[number];
type Credential = (typeof credentials)[number];
type Recorded = (typeof records)[number];
type Mark = (typeof marks)[number];
type Status = (typeof statuses)[number];

/** A key with one version that everybody uses. */
export function initialState(budget: { readonly rotations: number; readonly revokes: number; readonly faults: number }): State {
  return {
    mode: 'idle',
    step: 'none',
    ponr: false,
    restored: false,
    old: 0,
    fresh: -1,
    versions: [{ credential: 'accepted', record: 'live', mark: 'clean' }],
    destinations: [0, 0],
    consumers: [0, 0],
    proved: [false, false],
    attempts: [],
    ...budget,
  };
}

/** The state as text, the same for states that are the same. */
export function encode(state: State): string {
  const place = forgetGone(state);
  let text = char(modes.indexOf(state.mode)) + char(steps.indexOf(state.step));
  text += char((state.ponr ? 1 : 0) + (state.restored ? 2 : 0) + (state.proved[0] ? 4 : 0) + (state.proved[1] ? 8 : 0));
  for (const at of [state.old, state.fresh, ...state.destinations, ...state.consumers]) text += char(at < 0 ? 0 : 1 + place(at));
  text += char(state.rotations) + char(state.revokes) + char(state.faults);
  let versions = '';
  for (const [at, { credential, record, mark }] of state.versions.entries())
    if (place(at) >= 0) versions += char(credentials.indexOf(credential)) + char(records.indexOf(record)) + char(marks.indexOf(mark));
  const attempts = state.attempts.map(({ step, at, status, mode, target, seen }) => {
    const named = char(target < 0 ? 0 : 1 + place(target)) + char(seen < 0 ? 0 : 1 + place(seen));
    return char(steps.indexOf(step)) + char(positions.indexOf(at)) + char(statuses.indexOf(status)) + char(modes.indexOf(mode)) + named;
  });
  return `${text}${char(versions.length / 3)}${versions}${attempts.sort().join('')}`;
}

/** The state that a text stands for: a fresh copy each time. */
export function decode(text: string): State {
  let at = 0;
  const next = () => text.charCodeAt(at++) - base;
  const mode = modes[next()] as Mode;
  const step = steps[next()] as Step;
  const flags = next();
  const [old, fresh, d0, d1, c0, c1] = [next() - 1, next() - 1, next() - 1, next() - 1, next() - 1, next() - 1] as const;
  const [rotations, revokes, faults] = [next(), next(), next()] as const;
  const versions: Version[] = [];
  for (let left = next(); left > 0; left--) {
    versions.push({
      credential: credentials[next()] as Credential,
      record: records[next()] as Recorded,
      mark: marks[next()] as Mark,
    });
  }
  const attempts: Attempt[] = [];
  while (at < text.length) {
    attempts.push({
      step: steps[next()] as Step,
      at: positions[next()] as Position,
      status: statuses[next()] as Status,
      mode: modes[next()] as Mode,
      target: next() - 1,
      seen: next() - 1,
    });
  }
  return {
    mode,
    step,
    ponr: (flags & 1) > 0,
    restored: (flags & 2) > 0,
    proved: [(flags & 4) > 0, (flags & 8) > 0],
    old,
    fresh,
    destinations: [d0, d1],
    consumers: [c0, c1],
    rotations,
    revokes,
    faults,
    versions,
    attempts,
  };
}

const base = 48;
const char = (code: number): string => String.fromCharCode(base + code);

/** A version that is deleted at the provider and that nothing names any more is forgotten; the others move up. */
function forgetGone({ versions, old, fresh, destinations, consumers, attempts }: State): (at: number) => number {
  const named = new Set([old, fresh, ...destinations, ...consumers]);
  for (const { target, seen } of attempts) named.add(target).add(seen);
  let kept = 0;
  const places = versions.map(({ credential }, at) => (credential === 'gone' && !named.has(at) ? -1 : kept++));
  return (at) => places[at] ?? -1;
}

/** Whether the provider answers a consumer that uses this version. */
export const isAccepted = ({ credential }: Version): boolean => credential === 'accepted' || credential === 'cooling';

/** Made at the provider, and the inventory does not know it. */
export const isOrphan = ({ credential, record }: Version): boolean => credential !== 'gone' && record === 'none';
