import { type Attempt, isOrphan, type Position, type State, type Step, type Version } from './state.ts';
import type { Without } from './switches.ts';

/** What one move of an attempt leads to: its next position, its end, or nothing as long as it has to wait. */
type Outcome = Position | 'ends' | 'waits';
type Act = (s: State, a: Attempt, without: Without) => Outcome;
type Program = Partial<Record<Position, Act>>;

/** A provider that counts disabled credentials, like IAM. */
const slots = 2;

const versionAt = (s: State, at: number): Version => s.versions[at] as Version;

/** The attempt still has the fence. */
const holds: (a: Attempt, without: Without) => boolean = (a, without) => a.status !== 'fenced' || without.has('fence');

/** The attempt may record: it has the fence, and its own step is the open one. */
const mayRecord = (s: State, a: Attempt, without: Without): boolean => holds(a, without) && s.step === a.step && s.mode === a.mode;

const intend =
  (then: Position): Act =>
  (_s, a, without) =>
    holds(a, without) ? then : 'ends';

export const occupied = (s: State): number => s.versions.filter(({ credential }) => credential !== 'gone').length;

/** A new credential at the provider. Its value is known to whoever made it, and to nobody else yet. */
export const createAt = (s: State): number => s.versions.push({ credential: 'warming', record: 'none', mark: 'clean' }) - 1;

function disableAt(s: State, at: number): void {
  const version = versionAt(s, at);
  if (version.credential === 'accepted' || version.credential === 'warming') version.credential = 'cooling';
}

/** No operation is open, and everybody should use `current`. */
function rest(s: State, current: number): 'ends' {
  Object.assign(s, { mode: 'idle', step: 'none', ponr: false, restored: false, old: current, fresh: -1, proved: [false, false] });
  return 'ends';
}

/** The steps of a revocation, in their order. */
export function revokeOrder(without: Without): Step[] {
  const contain: Step[] = ['disable', 'validate'];
  const settle: Step[] = without.has('revokeQuiesce') ? [] : ['quiesce', 'attribute'];
  const reissue: Step[] = ['issue', 'distribute', 'verify'];
  return without.has('disableBeforeReissue') ? [...settle, ...reissue, ...contain, 'close'] : [...contain, ...settle, ...reissue, 'close'];
}

export function nextStep(s: State, without: Without): Step {
  const order: readonly Step[] = s.mode === 'revoking' ? revokeOrder(without) : ['issue', 'distribute', 'confirm', 'verify', 'retire'];
  return order[order.indexOf(s.step) + 1] ?? 'none';
}

const advance: Act = (s, a, without) => {
  if (mayRecord(s, a, without)) s.step = nextStep(s, without);
  return 'ends';
};

/** Points both destinations at the target: intent, write, and the label last. */
const deliver: Program = {
  'intend write': intend('write'),
  write: (s, a, without) => {
    const target = versionAt(s, a.target);
    if (without.has('neverEnable') && a.step === 'roll back' && ['cooling', 'refused'].includes(target.credential))
      target.credential = 'accepted';
    s.destinations[0] = a.target;
    return 'intend label';
  },
  'intend label': (s, a, without) => {
    a.seen = s.destinations[1];
    return holds(a, without) ? 'move label' : 'ends';
  },
  'move label': (s, a, without) => {
    const moved = s.destinations[1] !== a.seen;
    a.seen = -1;
    if (moved && !without.has('compareAndSwap')) return 'ends';
    s.destinations[1] = a.target;
    return 'record delivered';
  },
};

/** Ends the target: intent, disable, and only when the provider refuses it, the record. */
const end = (record: (s: State, target: Version) => 'ends'): Program => ({
  'intend disable': (s, a, without) => {
    if (!holds(a, without)) return 'ends';
    if (without.has('recordAfterEffect')) versionAt(s, a.target).record = 'dead';
    return 'disable';
  },
  disable: (s, a) => {
    disableAt(s, a.target);
    return 'prove dead';
  },
  'prove dead': (s, a, without) => {
    const target = versionAt(s, a.target);
    if (target.credential === 'cooling' && !without.has('probeBeforeAcknowledge')) return 'waits';
    return mayRecord(s, a, without) ? record(s, target) : 'ends';
  },
});

/** What each position of each step does. An attempt begins right after it acquired the fence. */
export const programs: Partial<Record<Step, Program>> = {
  issue: {
    begin: (s, a, without) => {
      const fresh = s.versions[s.fresh];
      a.target = s.fresh;
      if (fresh?.record === 'stored') return 'preflight';
      // Its value died with the attempt that made it.
      if (fresh?.record === 'created') return 'intend abandon';
      a.target = without.has('orphanCleanUp') ? -1 : s.versions.findIndex(isOrphan);
      if (a.target >= 0) return 'intend delete';
      if (occupied(s) < slots) return 'intend create';
      a.target = s.versions.findIndex(({ record, credential }) => record === 'dead' && credential !== 'gone');
      return a.target < 0 || without.has('slotFreeing') ? 'ends' : 'intend delete';
    },
    'intend delete': intend('delete'),
    delete: (s, a) => {
      versionAt(s, a.target).credential = 'gone';
      return 'ends';
    },
    'intend abandon': intend('abandon'),
    abandon: (s, a, without) => {
      versionAt(s, a.target).credential = 'gone';
      if (mayRecord(s, a, without)) s.fresh = -1;
      return 'ends';
    },
    'intend create': intend('create'),
    create: (s, a) => {
      if (occupied(s) >= slots) return 'ends';
      a.target = createAt(s);
      return 'record created';
    },
    'record created': (s, a, without) => {
      if (!mayRecord(s, a, without)) return 'undo';
      versionAt(s, a.target).record = 'created';
      s.fresh = a.target;
      return 'store';
    },
    undo: (s, a) => {
      versionAt(s, a.target).credential = 'gone';
      return 'ends';
    },
    store: (s, a, without) => {
      if (!mayRecord(s, a, without)) return 'ends';
      versionAt(s, a.target).record = 'stored';
      return 'preflight';
    },
    preflight: (s, a, without) => {
      const target = versionAt(s, a.target);
      if (target.credential === 'warming' && !without.has('preflight')) return 'waits';
      if (!mayRecord(s, a, without)) return 'ends';
      target.record = 'issued';
      return advance(s, a, without);
    },
  },
  distribute: {
    ...deliver,
    begin: (s, a) => {
      a.target = s.fresh;
      return s.fresh < 0 ? 'ends' : 'intend write';
    },
    'record delivered': (s, a, without) => {
      if (!mayRecord(s, a, without)) return 'ends';
      versionAt(s, a.target).record = 'live';
      return advance(s, a, without);
    },
  },
  verify: { begin: (s, a, without) => (s.versions[s.fresh]?.credential === 'accepted' ? advance(s, a, without) : 'ends') },
  retire: {
    ...end((s, old) => {
      old.record = 'dead';
      return rest(s, s.fresh);
    }),
    begin: (s, a, without) => {
      if (!mayRecord(s, a, without)) return 'ends';
      s.ponr = true;
      a.target = s.old;
      return 'intend disable';
    },
  },
  'roll back': {
    ...deliver,
    ...end((s, fresh) => {
      fresh.record = 'dead';
      return rest(s, s.old);
    }),
    begin: (s, a, without) => {
      a.target = s.old;
      if (s.old < 0) return 'ends';
      if (s.restored) return 'await consumers';
      // Nothing was recorded, so nothing was delivered.
      if (s.fresh < 0) return mayRecord(s, a, without) ? rest(s, s.old) : 'ends';
      return 'intend write';
    },
    'record delivered': (s, a, without) => {
      if (!mayRecord(s, a, without)) return 'ends';
      s.restored = true;
      return 'await consumers';
    },
    'await consumers': (s, a, without) => {
      if (s.proved.includes(false) && !without.has('confirmBack')) return 'waits';
      a.target = s.fresh;
      return s.fresh < 0 ? 'ends' : 'intend disable';
    },
  },
  disable: {
    begin: (s, a, without) => {
      const alive = s.versions.findIndex(
        ({ mark, credential }) => mark !== 'clean' && (credential === 'accepted' || credential === 'warming'),
      );
      if (alive < 0) return advance(s, a, without);
      if (!holds(a, without)) return 'ends';
      disableAt(s, alive);
      return 'begin';
    },
  },
  validate: {
    begin: (s, a, without) => {
      const scope = s.versions.filter(({ mark }) => mark !== 'clean');
      if (!without.has('probeBeforeAcknowledge') && scope.some(({ credential }) => credential === 'cooling')) return 'waits';
      if (!mayRecord(s, a, without)) return 'ends';
      for (const version of scope) Object.assign(version, { mark: 'acknowledged', record: 'dead' });
      return advance(s, a, without);
    },
  },
  attribute: {
    begin: (s, a, without) => {
      const orphan = s.versions.findIndex((one) => isOrphan(one) && (one.credential === 'accepted' || one.credential === 'warming'));
      if (orphan < 0) return advance(s, a, without);
      if (!holds(a, without)) return 'ends';
      disableAt(s, orphan);
      return 'begin';
    },
  },
  close: { begin: (s, a, without) => (mayRecord(s, a, without) ? rest(s, s.fresh) : 'ends') },
};
