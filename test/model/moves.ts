import { createAt, nextStep, occupied, programs, revokeOrder } from './attempts.ts';
import { type Attempt, decode, encode, isOrphan, type State, type Version } from './state.ts';
import type { Without } from './switches.ts';

/** One thing that can happen next, in words, and the state after it. */
export interface Move {
  readonly story: string;
  readonly to: string;
}

/** Everything that can happen next. */
export function movesFrom(code: string, without: Without): Move[] {
  const s = decode(code);
  const moves: Move[] = [];
  /** `change` gets a copy of the state; false: it cannot happen. */
  const may = (story: string, change: (copy: State) => unknown): void => {
    const copy = decode(code);
    if (change(copy) !== false) moves.push({ story, to: encode(copy) });
  };
  operations(s, may, without);
  workflow(s, may, without);
  for (const [at, attempt] of s.attempts.entries()) work(s, attempt, at, may, without);
  surroundings(s, may, without);
  return moves;
}

type May = (story: string, change: (copy: State) => unknown) => void;

/** Rotations, rollbacks and revocations begin. A revocation may begin at any moment, also while another is open: then it joins that one. */
function operations(s: State, may: May, without: Without): void {
  if (
    s.mode === 'idle' &&
    s.rotations > 0 &&
    (s.attempts.length === 0 || without.has('operationQuiesce') || without.has('inflightBound'))
  ) {
    may('a rotation begins', (c) => {
      Object.assign(c, { mode: 'rotating', step: 'issue', rotations: c.rotations - 1 });
      shutOut(c);
    });
  }
  if (s.mode === 'rotating' && (!s.ponr || without.has('pointOfNoReturn'))) {
    may('the rotation is aborted', (c) => {
      const step = without.has('rollbackQuiesce') ? 'roll back' : 'quiesce';
      Object.assign(c, { mode: 'rolling back', step, ponr: false, proved: [false, false] });
      if (without.has('rollbackFence')) for (const attempt of c.attempts) attempt.status = attempt.status === 'fenced' ? 'fenced' : 'late';
      else shutOut(c);
    });
  }
  if (s.revokes > 0) {
    may(s.mode === 'revoking' ? 'a second revocation joins the open one' : 'a revocation raises the fence', (c) => {
      const joins = c.mode === 'revoking' && without.has('secondRevocation');
      if (!joins) Object.assign(c, { step: revokeOrder(without)[0], old: -1, fresh: -1 });
      Object.assign(c, { mode: 'revoking', revokes: c.revokes - 1, ponr: false, restored: false, proved: [false, false] });
      shutOut(c);
      // The scope: whatever is on record and not deleted.
      for (const version of c.versions) {
        if (version.record === 'none' || version.mark !== 'clean') continue;
        version.mark = 'leaked';
        if (without.has('recordAfterEffect')) version.record = 'dead';
      }
    });
  }
}

/** The orchestrator: starts the next attempt, waits, goes on. */
function workflow(s: State, may: May, without: Without): void {
  if (s.step === 'quiesce') {
    // The bound on late workers: this wait outlives all of them.
    if (s.attempts.length === 0 || without.has('inflightBound'))
      may('quiesced', (c) => {
        c.step = c.mode === 'rolling back' ? 'roll back' : nextStep(c, without);
      });
  } else if (s.step === 'confirm') {
    const moved = s.destinations.every((at) => at === s.fresh);
    const known = without.has('adoption') || (without.has('adoptionByConsumers') ? moved : !s.proved.includes(false));
    if (known)
      may('confirmed', (c) => {
        Object.assign(c, { step: 'verify', proved: [false, false] });
      });
  } else if (s.step !== 'none' && !s.attempts.some(({ status }) => status === 'running')) {
    may(`${s.step} starts`, (c) => {
      shutOut(c);
      c.attempts.push({ step: c.step, at: 'begin', status: 'running', mode: c.mode, target: -1, seen: -1 });
    });
  }
}

/** What one attempt does next, and what may go wrong with it. */
function work(s: State, { step, at, status }: Attempt, place: number, may: May, without: Without): void {
  const act = programs[step]?.[at];
  const who = status === 'running' ? step : `${step} (${status})`;
  if (act) {
    may(`${who}: ${at}`, (c) => {
      const attempt = c.attempts[place] as Attempt;
      const next = act(c, attempt, without);
      if (next === 'waits') return false;
      if (next === 'ends') return void c.attempts.splice(place, 1);
      attempt.at = next;
    });
  }
  if (status !== 'running') may(`${who} dies`, (c) => void c.attempts.splice(place, 1));
  else if (s.faults > 0) {
    may(`FAULT ${step} crashes before: ${at}`, (c) => {
      c.faults -= 1;
      c.attempts.splice(place, 1);
    });
    may(`FAULT ${step} times out and goes on at: ${at}`, (c) => {
      c.faults -= 1;
      (c.attempts[place] as Attempt).status = 'late';
    });
  }
  if (without.has('createOnce') && at === 'create' && s.faults > 0 && occupied(s) < 2) {
    may(`FAULT the answer of the create is lost, the client library repeats it`, (c) => {
      c.faults -= 1;
      createAt(c);
      if (occupied(c) >= 2) return void c.attempts.splice(place, 1);
      Object.assign(c.attempts[place] as Attempt, { target: createAt(c), at: 'record created' });
    });
  }
}

/** The provider's propagation, the consumers, and the reconciler. */
function surroundings(s: State, may: May, without: Without): void {
  for (const [at, { credential }] of s.versions.entries()) {
    if (credential === 'warming') may(`the provider accepts version ${at}`, (c) => set(c, at, { credential: 'accepted' }));
    if (credential === 'cooling') may(`the provider refuses version ${at}`, (c) => set(c, at, { credential: 'refused' }));
  }
  const awaited = s.step === 'confirm' ? s.fresh : s.mode === 'rolling back' && s.restored ? s.old : -1;
  for (const i of [0, 1] as const) {
    if (s.consumers[i] !== s.destinations[i])
      may(`consumer ${i} refreshes`, (c) => {
        c.consumers[i] = c.destinations[i];
      });
    if (awaited >= 0 && s.consumers[i] === awaited && !s.proved[i])
      may(`consumer ${i} proves what it uses`, (c) => {
        c.proved[i] = true;
      });
  }
  const orphan = s.versions.findIndex(isOrphan);
  if (s.mode === 'idle' && s.attempts.length === 0 && orphan >= 0 && !without.has('reconciler'))
    may('the reconciler ends an orphan', (c) => set(c, orphan, { credential: 'gone' }));
  if (without.has('pinnedVersions') && s.mode === 'idle' && s.faults > 0 && s.attempts.length === 0)
    may('FAULT the answer of retire is lost, it runs again', (c) => {
      c.faults -= 1;
      c.attempts.push({ step: 'retire', at: 'intend disable', status: 'late', mode: 'rotating', target: c.old, seen: -1 });
    });
}

/** Whoever held the fence holds it no longer. */
function shutOut(s: State): void {
  for (const attempt of s.attempts) attempt.status = 'fenced';
}

function set(s: State, at: number, change: Partial<Version>): void {
  Object.assign(s.versions[at] as Version, change);
}
