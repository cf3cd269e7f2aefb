import { memoryProvider } from '../../adapters/memory/provider.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Notice } from '../../core/notice.ts';
import type { Ports, Provider } from '../../core/ports.ts';
import type { Step, StepPayload, StepResult } from '../../workflows/steps.ts';
import { limited } from '../support/limited.ts';
import { type World, world } from '../support/world.ts';
import { factsOf, policyOf } from './facts.ts';
import type { FaultKind, Switches } from './faults/fault.ts';
import { type Judge, judgeOf } from './judge.ts';
import { type KeyRecord, newOracle, type Oracle } from './oracle.ts';
import type { KeyPlan, Plan } from './plan.ts';
import { type Random, randomOf } from './random.ts';
import { type Recorder, recorderOf } from './recorder.ts';
import { type Living, service } from './services.ts';
import { settings } from './settings.ts';
import { type Call, watched } from './watch.ts';
import { isWrite, sleep, type Worker } from './worker.ts';

/** The product under virtual time with everything around it: vendors, services, and whoever keeps the records. */
export interface Scene {
  readonly plan: Plan;
  readonly w: World;
  readonly oracle: Oracle;
  readonly judge: Judge;
  readonly recorder: Recorder;
  readonly switches: Switches;
  readonly living: Living[];
  /** One generator for what happens, apart from the one for ids and delays. */
  readonly choose: Random;
  /** Runs a function of the product as one worker: with ports of its own, ended after its time. */
  run<T>(name: string, operationId: string | null, work: (ports: Ports) => Promise<T>): Promise<T>;
  /** Ports for one request of a service. */
  door(name: string): Ports;
  /** Faults that meet calls, as long as they are in here. */
  readonly meeting: Set<Meeting>;
  /** Called before each external write, with how many there were: for what must happen at that very moment. */
  beforeWrite: ((call: Call, count: number) => Promise<void> | void) | null;
  /** Attempts by their step and payload, newest last: what a redrive would run again. */
  readonly attempts: { readonly step: Step; readonly payload: StepPayload }[];
  /** When something was last done to this history from outside of its plan: it has not converged before it had time to cope with that. */
  disturbedAt: number;
  /** Executions that are to end when their next attempt begins. */
  readonly stopped: Set<string>;
  /** Runs a step once more, outside of its execution. */
  attempt(step: Step, payload: StepPayload): Promise<StepResult>;
  /** Every worker there is ends where it is. */
  crash(): void;
  /** Every fault is over. */
  calm(): void;
  /** How many external writes there were since they are counted. */
  writes(): number;
  count(): void;
}

/** A fault at work. A strike is over after one call. */
export interface Meeting {
  readonly kind: FaultKind;
  skip: number;
}

const starts: Readonly<Record<Plan['start'], number>> = {
  winter: Date.UTC(2026, 0, 5, 8),
  'before summer time': Date.UTC(2026, 2, 29, 0, 59),
  'before a leap day': Date.UTC(2028, 1, 28, 23, 59),
};

export function sceneOf(plan: Plan): Scene {
  const oracle = newOracle();
  const judge = judgeOf(oracle);
  const recorder = recorderOf(oracle, judge);
  const [ids, delays, chance, choose] = ['ids', 'delays', 'chance', 'choose'].map((stream) => randomOf(plan.seed, stream)) as [
    Random,
    Random,
    Random,
    Random,
  ];
  const makers = new WeakMap<object, Worker>();
  const meeting = new Set<Meeting>();
  const switches = calm();
  const living: Living[] = [];
  const attempts: Scene['attempts'] = [];
  const stopped = new Set<string>();
  const workers = new Set<Worker>();
  let counting = false;
  let counted = 0;

  const gate = {
    oracle,
    makers,
    landed: recorder.landed,
    latencySeconds: () => delays.below(100) / 1000,
    staleIndexSeconds: () => switches.staleIndexSeconds,
    logIsFull: () => switches.fullLogs > 0,
    async pass(call: Call): Promise<unknown> {
      if (isWrite(call.name)) recorder.making(call.worker, call.name);
      if (counting && isWrite(call.name)) {
        counted += 1;
        await scene.beforeWrite?.(call, counted);
      }
      for (const one of meeting) {
        const { strike, spell } = one.kind;
        const how = strike ?? spell;
        if (!how?.fits(call.name) || (strike && one.skip-- > 0)) continue;
        if (strike) meeting.delete(one);
        if (strike) recorder.say(`fault: ${one.kind.name} at ${call.worker.name} ${call.name}`);
        struck.set(one.kind.name, (struck.get(one.kind.name) ?? 0) + 1);
        return how.meet(call, chance);
      }
      return call.land();
    },
  };
  const struck = oracle.struck;

  function hire(name: string, operationId: string | null, startSeq = 0): Worker {
    const now = Date.now();
    const endsAt = now + settings.functionSeconds * 1000;
    const worker = {
      name,
      operationId,
      startSeq,
      startedAt: now,
      endsAt,
      skewMs: switches.skewMs,
      fences: new Map<string, number>(),
      intended: [],
      outstanding: 0,
      gone: false,
    };
    workers.add(worker);
    return worker;
  }

  async function work<T>(worker: Worker, ports: Ports, job: (ports: Ports) => Promise<T>): Promise<T> {
    try {
      return await job(watched(ports, worker, gate));
    } finally {
      workers.delete(worker);
      if (worker.outstanding > 0 && !worker.gone)
        oracle.workersLeft.push(`${worker.name} returned with ${worker.outstanding} calls under way`);
    }
  }

  async function attempt(ports: Ports, step: Step, payload: StepPayload): Promise<StepResult> {
    if (stopped.has(`${payload.operationId}-r${payload.startSeq}`)) throw new StoppedFromOutside();
    attempts.push({ step, payload });
    const worker = hire(step.state, payload.operationId, payload.startSeq);
    return work(worker, ports, (own) => step.run(limited(own, step.may), payload, ids.id())).catch((error: Error) => {
      oracle.said.push(`${error.name}: ${error.message}`);
      throw error;
    });
  }

  const w = world({
    reconciler: false,
    settings,
    policy: policyOf(plan),
    startAt: starts[plan.start],
    randomId: () => ids.id(),
    committed: (writes, after) =>
      recorder.committed(makers.get(writes) ?? makers.get((writes[0] as { change?: object }).change ?? writes), writes, after),
    wrap: (ports) => ({
      ...ports,
      provider: (name) => vendorOf(oracle, name, ports),
      notifier: { publish: (notice) => publish(ports, notice) },
    }),
    attempt,
    onStep: (state, error) => error && recorder.say(`${state} ended: ${error}`),
  });

  async function publish(ports: Ports, notice: Notice): Promise<void> {
    await ports.notifier.publish(notice);
    oracle.published.push(notice);
    if (switches.noticesLost > 0) return;
    const copies = switches.noticesTwice > 0 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = switches.noticesLateSeconds + (switches.noticesReordered > 0 ? chance.below(8) : 0) + copy * 3;
      void sleep(late).then(() => {
        for (const one of living) if (one.keyId === notice.keyId && one.service.name === notice.audience) one.hear(notice);
      });
    }
  }

  const scene: Scene = {
    plan,
    w,
    oracle,
    judge,
    recorder,
    switches,
    living,
    choose,
    meeting,
    beforeWrite: null,
    disturbedAt: 0,
    attempts,
    stopped,
    door: (name) => watched(w.ports, hire(name, null), gate),
    run: (name, operationId, job) => work(hire(name, operationId), w.ports, job),
    writes: () => counted,
    count() {
      counting = true;
    },
    attempt: (step, payload) => attempt(w.ports, step, payload),
    crash() {
      for (const worker of workers) worker.gone = true;
    },
    calm() {
      meeting.clear();
      Object.assign(switches, calm());
    },
  };

  for (const [i, key] of plan.keys.entries()) {
    const facts = factsOf(key, i + 1);
    oracle.keys.set(
      facts.id,
      newRecord(facts, key, switches, () => w.secrets.shown(facts.id)),
    );
  }
  return scene;
}

/** Afterwards every planned service is there, using what its destination holds. */
export function populate(scene: Scene): void {
  const { oracle, switches, w, choose } = scene;
  for (const [i, record] of [...oracle.keys.values()].entries()) {
    for (const [place, manner] of (scene.plan.keys[i]?.services ?? []).entries())
      scene.living.push(service(record, place, manner, { oracle, switches, bare: w.ports, choose, door: scene.door }));
  }
}

function newRecord(facts: KeyFacts, key: KeyPlan, switches: Switches, labels: KeyRecord['labels']): KeyRecord {
  const provider = memoryProvider({
    name: facts.provider,
    series: `${facts.provider}-`,
    clock: { now: () => Date.now() },
    traits: {
      class: key.class,
      maxLive: key.slots,
      countsDisabled: key.countsDisabled,
      activateSeconds: key.activateSeconds + 4,
      revokeSeconds: key.revokeSeconds + 7,
    },
    get activateSeconds() {
      return key.activateSeconds + switches.activateSeconds;
    },
    get revokeSeconds() {
      return key.revokeSeconds + switches.revokeSeconds;
    },
  });
  return {
    facts,
    provider,
    meta: null,
    versions: new Map(),
    audit: [],
    records: new Map(),
    services: [],
    acknowledged: new Map(),
    labels,
    byHand: { made: new Set(), enabled: new Set(), disabled: new Set(), labels: 0 },
    overwritten: new Set(),
    seenDisabled: new Set(),
    committedNotices: new Set(),
    startableSince: null,
  };
}

function vendorOf({ keys }: Oracle, name: string, ports: Ports): Provider {
  return [...keys.values()].find(({ facts }) => facts.provider === name)?.provider ?? ports.provider(name);
}

const calm = (): Switches => ({
  staleIndexSeconds: 0,
  skewMs: 0,
  scheduleMisses: 0,
  scheduleTwice: 0,
  scheduleLateSeconds: 0,
  noticesTwice: 0,
  noticesLateSeconds: 0,
  noticesReordered: 0,
  staleCaches: 0,
  silentServices: 0,
  wrongProofs: 0,
  noticesLost: 0,
  fullLogs: 0,
  activateSeconds: 0,
  revokeSeconds: 0,
});

/** What StopExecution does: the execution ends here, and nothing of its workflow catches it. */
class StoppedFromOutside extends Error {
  override readonly name = 'Stopped';
  readonly isRetryable = false;
  readonly isCatchable = false;
}
