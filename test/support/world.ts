import { type Clock as FakeClock, withGlobal } from '@sinonjs/fake-timers';
import { fingerprintWith } from '../../adapters/fingerprint.ts';
import { memoryDestination } from '../../adapters/memory/destination.ts';
import { memoryInventory } from '../../adapters/memory/inventory.ts';
import { memoryNotifier } from '../../adapters/memory/notifier.ts';
import { memoryPager } from '../../adapters/memory/pager.ts';
import { type MemoryProvider, type MemoryProviderOptions, memoryProvider } from '../../adapters/memory/provider.ts';
import { memorySeals } from '../../adapters/memory/seals.ts';
import { type MemorySecretStore, memorySecretStore } from '../../adapters/memory/secret-store.ts';
import { adoptVersion } from '../../core/adopt.ts';
import { receive } from '../../core/adoption.ts';
import { proofOf } from '../../core/challenge.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { MeasuredOf, Measures } from '../../core/metric.ts';
import type { Notice } from '../../core/notice.ts';
import type { Page } from '../../core/page.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Policy, TierPolicy } from '../../core/policy.ts';
import type { Executions, Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import type { Settings } from '../../core/settings.ts';
import { localExecutions } from '../../local/executions.ts';
import revokeDefinition from '../../workflows/revoke.asl.json' with { type: 'json' };
import rotateDefinition from '../../workflows/rotate.asl.json' with { type: 'json' };
import { type Step, type StepPayload, type StepResult, steps } from '../../workflows/steps.ts';
import { limited } from './limited.ts';
import { passing } from './passing.ts';

/** Small durations, in the proportions of production. */
export const testSettings: Settings = {
  stage: 'test',
  callSeconds: 0.9,
  functionSeconds: 8,
  marginSeconds: 1,
  settleSeconds: 2,
  skewSeconds: 1,
  orphanSeconds: 60,
  stuckSeconds: 30,
  reconcileSeconds: 5,
  idleCheckSeconds: 20,
  sweepSeconds: { high: 10, medium: 10, low: 10 },
  sealSeconds: 60,
  digestSeconds: 30,
  remindSeconds: 3600,
  maxMints: 3,
  maxRestarts: 3,
  destinationsPerAttempt: 2,
};

const tier: TierPolicy = {
  ...defaultPolicy.tiers.high,
  rotateEverySeconds: 86_400,
  maxLifetimeSeconds: 259_200,
  overlapMinSeconds: 20,
  overlapMaxSeconds: 600,
  atOverlapMax: 'hold',
  soakSeconds: 300,
  quietSeconds: 60,
  toleranceSeconds: 600,
};

export const testPolicy: Policy = { ...defaultPolicy, tiers: { high: tier, medium: tier, low: tier } };

export const consumerNamed = (name: string): Consumer => ({
  name,
  owner: `team-${name}`,
  contact: `${name}@example.test`,
  refreshSeconds: 5,
  class: 'cached',
  proof: 'possession',
});

export const testFacts = (more: Partial<KeyFacts> = {}): KeyFacts => ({
  id: 'payments/stripe',
  owner: 'team-payments',
  team: 'team-payments',
  unit: 'default',
  environment: 'staging',
  purpose: 'charge cards',
  provider: 'memory',
  account: 'default',
  params: {},
  privileged: false,
  exposure: 'internal',
  readers: [],
  scopes: ['charges'],
  store: 'rekey',
  destinations: [
    { id: 'api', kind: 'memory', at: 'api', environment: 'staging' },
    { id: 'batch', kind: 'memory', at: 'batch', environment: 'staging' },
  ],
  consumers: [consumerNamed('api'), consumerNamed('batch')],
  exclusive: true,
  incident: { contacts: ['oncall@example.test'], reissue: 'automatic' },
  monitors: ['dashboard/payments'],
  expiresAt: null,
  overlapSeconds: null,
  mode: 'live',
  ...more,
});

export interface World {
  readonly ports: Ports;
  readonly provider: MemoryProvider;
  readonly inventory: ReturnType<typeof memoryInventory>;
  readonly secrets: MemorySecretStore;
  readonly seals: ReturnType<typeof memorySeals>;
  readonly notices: readonly Notice[];
  /** What people were told, in order. */
  readonly pages: readonly Page[];
  /** Every line of metrics, in order. */
  readonly measured: readonly (Measures & MeasuredOf)[];
  readonly clock: FakeClock;
  /** Runs virtual time until `done` holds. Throws when nothing is left to happen, or after `limitSeconds`. */
  until(done: () => Promise<boolean> | boolean, limitSeconds?: number): Promise<void>;
  /** Lets virtual time pass. */
  pass(seconds: number): Promise<void>;
  /** The workers of this world end as if the machine had lost power; `restart` gives new ones. */
  crash(): void;
  restart(): void;
  stop(): void;
}

export interface WorldOptions {
  readonly settings?: Partial<Settings>;
  readonly policy?: Policy;
  readonly provider?: Omit<MemoryProviderOptions, 'clock'>;
  /** Wraps the ports that steps get: where faults are injected. */
  readonly wrap?: (ports: Ports) => Ports;
  /** Called with every error name that a step's attempt ended with. */
  readonly onStep?: (state: string, error: string | null) => void;
  /** The reconciler runs every `reconcileSeconds`; off for tests that call it themselves. */
  readonly reconciler?: boolean;
  /** The first instant, in milliseconds since 1970. */
  readonly startAt?: number;
  /** Where ids come from; by default they are counted. */
  readonly randomId?: () => string;
  /** Sees every transaction of the inventory in the instant in which it takes effect. */
  readonly committed?: NonNullable<Parameters<typeof memoryInventory>[0]>['committed'];
  /** How one attempt of a step is run; by default with the ports that its row of the table allows. */
  readonly attempt?: (ports: Ports, step: Step, payload: StepPayload, attemptId: string) => Promise<StepResult>;
}

const alone: NonNullable<WorldOptions['attempt']> = (ports, step, ...more) => step.run(limited(ports, step.may), ...more);

/** The whole product in memory under virtual time: production steps, the real workflow files, memory adapters. */
export function world(options: WorldOptions = {}): World {
  const clock = withGlobal(globalThis).install({
    now: options.startAt ?? Date.UTC(2026, 0, 5, 8),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
  const inventory = memoryInventory(options.committed ? { committed: options.committed } : {});
  const notifier = memoryNotifier();
  const pager = memoryPager();
  const now = { now: () => Date.now() };
  const provider = memoryProvider({ ...options.provider, clock: now });
  const destination = memoryDestination('memory');
  const secrets = memorySecretStore();
  const seals = memorySeals();
  const measured: (Measures & MeasuredOf)[] = [];
  let serial = 0;
  let executions: ReturnType<typeof localExecutions>;
  const current: Executions = {
    start: (...args) => executions.start(...args),
    state: (...args) => executions.state(...args),
    succeed: (...args) => executions.succeed(...args),
    fail: (...args) => executions.fail(...args),
  };
  const bare: Ports = {
    inventory,
    secrets,
    provider: () => provider,
    providers: () => [provider.name],
    destination: () => destination,
    notifier,
    pager,
    executions: current,
    seals,
    clock: now,
    randomId: options.randomId ?? (() => `${(serial++).toString(16).padStart(8, '0')}`.padStart(32, '0')),
    fingerprint: fingerprintWith(async () => Buffer.alloc(32, 7)),
    log: { info() {}, warn() {}, error() {}, measure: (values, of) => void measured.push({ ...of, ...values }) },
    settings: { ...testSettings, ...options.settings },
    policy: options.policy ?? testPolicy,
  };
  const wrapped = options.wrap?.(bare) ?? bare;
  let dead = { yes: false };
  const { attempt = alone } = options;
  const start = () => {
    const life = { yes: false };
    dead = life;
    executions = localExecutions({
      steps,
      definitions: { rotate: rotateDefinition, revoke: revokeDefinition },
      functionSeconds: bare.settings.functionSeconds,
      randomId: bare.randomId,
      run: async (step, payload, attemptId) => {
        // A dead machine does nothing more: its calls never return.
        if (life.yes) await new Promise(() => undefined);
        try {
          const result = await attempt(wrapped, step, payload, attemptId);
          options.onStep?.(step.state, null);
          return result;
        } catch (error) {
          options.onStep?.(step.state, (error as Error).name);
          throw error;
        }
      },
    });
  };
  start();
  if (options.reconciler !== false) {
    setInterval(() => {
      if (!dead.yes) void reconcile(wrapped).catch(() => undefined);
    }, bare.settings.reconcileSeconds * 1000);
  }
  return {
    ports: wrapped,
    provider,
    inventory,
    secrets,
    seals,
    notices: notifier.published,
    pages: pager.pages,
    measured,
    clock,
    ...passing(clock),
    crash() {
      dead.yes = true;
    },
    restart: start,
    stop() {
      dead.yes = true;
      clock.uninstall();
    },
  };
}

/** Registers a key and adopts a credential that exists at the provider, delivered everywhere. */
export async function adopted(w: World, facts: KeyFacts = testFacts()): Promise<string> {
  await registerKey(w.ports, facts, 'test');
  const { credentialId, value } = w.provider.stranger(`rekey-${facts.id.replaceAll('/', '.')}-adopted`);
  const token = `00000000-0000-8000-a000-${credentialId.slice(-4).padStart(12, '0')}`;
  await w.ports.secrets.put(facts.id, token, value);
  for (const spec of facts.destinations) await w.ports.destination(spec.kind).write(spec, value, token);
  await adoptVersion(w.ports, { keyId: facts.id, token, credentialId }, 'test');
  return facts.id;
}

/**
 * Services in the world: each reads its own destination when it hears a notice, after its delay, works with what it read all the time,
 * and proves by that value; `silent` ones move and do not say so, and those that stay go on with what they read at the start. Returns what they saw.
 */
export function services(
  w: World,
  facts: KeyFacts,
  options: { readonly delaySeconds?: number; readonly silent?: readonly string[]; readonly stays?: readonly string[] } = {},
): { readonly refused: { service: string; at: number }[] } {
  const refused: { service: string; at: number }[] = [];
  for (const [i, consumer] of facts.consumers.entries()) {
    const spec = facts.destinations[i % facts.destinations.length];
    if (!spec) continue;
    let seen = 0;
    let using = w.ports.destination(spec.kind).read(spec);
    setInterval(async () => {
      const value = await using;
      if (value && !w.provider.use(value)) refused.push({ service: consumer.name, at: Date.now() });
      for (; seen < w.notices.length; seen++) {
        const notice = w.notices[seen] as Notice;
        if (notice.keyId !== facts.id || notice.audience !== consumer.name || notice.data.action !== 'refresh') continue;
        if (options.stays?.includes(consumer.name)) continue;
        setTimeout(
          async () => {
            using = w.ports.destination(spec.kind).read(spec);
            const held = await using;
            const { nonce, version } = notice.data;
            if (!held || !nonce || version === undefined || options.silent?.includes(consumer.name)) return;
            const proof = proofOf(held, notice.operationId, consumer.name, nonce);
            const receipt = { keyId: facts.id, operationId: notice.operationId, version, outcome: 'moved', nonce, proof } as const;
            // As a service's client does: no answer, or an error that is not about the receipt, means sending it again.
            for (let attempt = 0; attempt < 5; attempt++) {
              const answer = receive(w.ports, receipt, consumer.name).then(
                () => true,
                (error: Error) => error.name === 'Refused',
              );
              if (await Promise.race([answer, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3000))])) return;
            }
          },
          (options.delaySeconds ?? 2) * 1000,
        );
      }
    }, 1000);
  }
  return { refused };
}
