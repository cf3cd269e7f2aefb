import { adoptVersion } from '../../core/adopt.ts';
import { overrideConfirm } from '../../core/adoption.ts';
import { tiers } from '../../core/key.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { sweep } from '../../core/sweep.ts';
import { end } from '../support/operations.ts';
import { faultKinds } from './faults/registry.ts';
import type { Breach } from './judge.ts';
import type { KeyRecord, Oracle } from './oracle.ts';
import { type FaultPlan, lastSecond, type Plan } from './plan.ts';
import { reachOf } from './reach.ts';
import { ask } from './requests.ts';
import { type Meeting, populate, type Scene, sceneOf } from './scene.ts';
import { settings } from './settings.ts';
import type { Call } from './watch.ts';
import { sleep } from './worker.ts';

/** What a history was: everything in it, in lines that the same plan gives again, and what was seen to break. */
export interface History {
  readonly plan: Plan;
  readonly lines: readonly string[];
  readonly breaches: readonly Breach[];
  readonly checks: number;
  /** Attempts of steps. */
  readonly steps: number;
  readonly virtualSeconds: number;
  readonly struck: ReadonlyMap<string, number>;
  readonly oracle: Oracle;
  /** Names of the external writes since they were counted, `step port.call`, in order. */
  readonly writes: readonly string[];
}

/** What a test adds to a plan: something at one external write, or after the set-up. */
export interface Extra {
  /** Right before the nth external write after the set-up is made. */
  readonly beforeWrite?: (call: Call, count: number, scene: Scene) => Promise<void> | void;
  /** What comes before anything is counted, and before faults may strike. */
  readonly setUp?: (scene: Scene) => Promise<void>;
}

/** How long everything may take to converge once the faults are over, in seconds. */
const convergeSeconds = 900;

/** Longer than orphans, late workers, soaks and the idle look of the reconciler need. */
const afterwardsSeconds = settings.orphanSeconds + settings.idleCheckSeconds + 60;

/** Runs one plan: faults on, with every invariant watched; then faults off, until everything has converged. */
export async function runHistory(plan: Plan, extra: Extra = {}): Promise<History> {
  const scene = sceneOf(plan);
  const { w, oracle, judge } = scene;
  const startedAt = Date.now();
  const writes: string[] = [];
  let virtualSeconds = 0;
  scene.beforeWrite = async (call, count) => {
    writes.push(siteOf(call));
    await extra.beforeWrite?.(call, count, scene);
  };
  try {
    await setUp(scene);
    await extra.setUp?.(scene);
    scene.count();
    everyFewSeconds(scene);
    const asked = plan.requests.map(async ({ what, atSeconds, key }, number) => {
      await sleep(atSeconds);
      await ask(scene, what, recordAt(oracle, key), number);
    });
    for (const fault of plan.faults) void strike(scene, fault);
    let done = false;
    void Promise.all(asked).then(() => {
      done = true;
    });
    const until = (plan.faults.length || plan.requests.length > 1 ? lastSecond : 1) * 1000 + Date.now();
    await w.until(() => judge.breaches.length > 0 || (done && Date.now() >= until), 3600);
    await converge(scene);
  } catch (error) {
    if (judge.breaches.length === 0) throw error;
  } finally {
    virtualSeconds = (Date.now() - startedAt) / 1000;
    w.crash();
    await end(w);
  }
  return {
    plan,
    lines: oracle.lines,
    breaches: judge.breaches,
    checks: judge.checks,
    steps: scene.attempts.length,
    virtualSeconds,
    struck: oracle.struck,
    oracle,
    writes,
  };
}

/** Where an external write is made: `rotate Issue provider.create`, or for a worker without an operation its name and the call. */
export const siteOf = ({ worker, name }: Call): string =>
  `${worker.operationId ? `${worker.operationId.split('-')[0]} ${worker.name}` : worker.name} ${name}`;

const recordAt = (oracle: Oracle, index: number): KeyRecord => {
  const all = [...oracle.keys.values()];
  return all[index % all.length] as KeyRecord;
};

/** Every key registered, and adopted where its plan says so; every service at work. */
async function setUp(scene: Scene): Promise<void> {
  const { w, oracle, plan } = scene;
  for (const [i, { facts, provider }] of [...oracle.keys.values()].entries()) {
    await registerKey(w.ports, facts, 'set-up');
    if (!plan.keys[i]?.adopted) continue;
    const { credentialId, value } = provider.stranger('adopted');
    oracle.credentialOf.set(value.reveal(), credentialId);
    const token = `00000000-0000-8000-a000-${String(i).padStart(12, '0')}`;
    await w.pass(4);
    await w.ports.secrets.put(facts.id, token, value);
    for (const spec of facts.destinations) {
      await w.ports.destination(spec.kind).write(spec, value, token);
      oracle.holding.set(spec.at, credentialId);
    }
    await adoptVersion(w.ports, { keyId: facts.id, token, credentialId }, 'set-up');
  }
  populate(scene);
}

/** What goes on all the time: schedules, the reconciler, services at work, and a look at the invariants. */
function everyFewSeconds(scene: Scene): void {
  const { switches } = scene;
  const often = (seconds: number, work: () => void) => void setInterval(work, seconds * 1000);
  const fires = (name: string, round: () => Promise<unknown>) => async () => {
    if (switches.scheduleMisses > 0) return;
    if (switches.scheduleLateSeconds > 0) await sleep(switches.scheduleLateSeconds);
    for (let time = 0; time < (switches.scheduleTwice > 0 ? 2 : 1); time++) void round().catch(() => scene.recorder.say(`${name} failed`));
  };
  for (const tier of tiers) {
    const round = fires('sweep', () => scene.run('sweep', null, (ports) => sweep(ports, { tier })));
    often(settings.sweepSeconds[tier], () => void round());
  }
  const round = fires('reconciler', () => scene.run('reconciler', null, (ports) => reconcile(ports)));
  often(settings.reconcileSeconds, () => void round());
  often(5, () => {
    for (const one of scene.living) one.work();
    scene.judge.look();
  });
}

/** One planned fault, from its moment on, for as long as it lasts. */
async function strike(scene: Scene, plan: FaultPlan): Promise<void> {
  const kind = faultKinds.find(({ name }) => name === plan.kind);
  if (!kind) throw new Error(`there is no fault ${plan.kind}`);
  await sleep(plan.atSeconds);
  if (!scene.oracle.faultsOn) return;
  const met = () => scene.oracle.struck.set(kind.name, (scene.oracle.struck.get(kind.name) ?? 0) + 1);
  if (kind.happens) {
    met();
    await kind.happens(reachOf(scene));
    scene.judge.look();
    return;
  }
  const meeting: Meeting = { kind, skip: plan.skip };
  if (kind.turns) {
    met();
    kind.turns(scene.switches, 1);
  } else scene.meeting.add(meeting);
  scene.recorder.say(`fault begins: ${kind.name}${kind.strike ? '' : ` for ${plan.lastsSeconds} s`}`);
  await sleep(kind.strike ? lastSecond : plan.lastsSeconds);
  kind.turns?.(scene.switches, -1);
  scene.meeting.delete(meeting);
  if (!kind.strike) scene.recorder.say(`fault over: ${kind.name}`);
}

/** Phase two: nothing fails any more, people do what they were called for, and in the end nothing is open. */
async function converge(scene: Scene): Promise<void> {
  const { w, oracle, judge, recorder } = scene;
  oracle.faultsOn = false;
  recorder.say('the faults are over');
  scene.calm();
  for (const one of scene.living) one.wake();
  const settled = () => [...oracle.keys.values()].every(isSettled);
  const caretaker = setInterval(() => {
    for (const record of oracle.keys.values()) void takeCare(scene, record).catch(() => undefined);
    for (const one of scene.living) one.wake();
  }, 10_000);
  const limit = Date.now() + convergeSeconds * 1000;
  for (let calmSince = Date.now(); ; ) {
    await w.pass(5);
    if (judge.breaches.length > 0) break;
    calmSince = settled() ? Math.max(calmSince, scene.disturbedAt) : Date.now();
    if (Date.now() - calmSince > afterwardsSeconds * 1000 || Date.now() > limit) break;
  }
  clearInterval(caretaker);
  if (judge.breaches.length > 0) return;
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const { facts } of oracle.keys.values()) labels.set(facts.id, await w.ports.secrets.labels(facts.id));
  judge.end({ oracle, now: Date.now(), labels, items: w.inventory.items() });
}

function isSettled({ meta }: KeyRecord): boolean {
  return meta !== null && !meta.rotation && !meta.revocation && (meta.state === 'active' || meta.state === 'registered');
}

/** What people do when they are called: strangers go, held reissues are released, keys without consumers are decided. */
async function takeCare(scene: Scene, { facts, meta, byHand, provider }: KeyRecord): Promise<void> {
  const { w } = scene;
  const keyId = facts.id;
  // What is made by hand where everything is ours is ours to end; before a key has a version, it is what its owner will hand over.
  const isOurs = facts.exclusive && (meta?.current ?? null) !== null;
  for (const id of isOurs ? [] : byHand.made) {
    byHand.made.delete(id);
    await provider.delete({ keyId, account: '', params: {} }, id);
  }
  if (!meta) return;
  if (meta.state === 'contained' && meta.revocation?.held)
    await releaseReissue(w.ports, { keyId, mistake: false, reason: 'looked at' }, 'caretaker');
  if (meta.rotation && facts.consumers.length === 0)
    await overrideConfirm(w.ports, { keyId, consumer: '*', reason: 'nobody uses it' }, 'caretaker');
  // What cannot end, a new version is issued for: also a first version that does not work, which cannot be taken back.
  const endless = meta.revocation || meta.rotation?.oldVersion === 0;
  if (endless && meta.attention?.reason === 'OperationStuck')
    await revoke(
      w.ports,
      { keyId, scope: 'all', reason: 'its reissue does not end', source: 'none', requestId: `stuck-${meta.fence}` },
      'caretaker',
    );
  if (meta.state === 'rotating' && meta.attention?.reason === 'ConsumersNotConfirmed' && facts.consumers.length > 0)
    await requestRollback(w.ports, { keyId, reason: 'somebody cannot move' }, 'caretaker');
  if (meta.state === 'registered' && meta.lastVersion > 0)
    await beginRotation(w.ports, { keyId, reason: 'the first issue again', trigger: `again-${Date.now()}` }, 'caretaker');
}
