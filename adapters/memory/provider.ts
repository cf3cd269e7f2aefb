import { NoFreeSlot } from '../../core/errors.ts';
import type { Clock, Credential, Probe, Provider, ProviderTraits } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

/** One line of the provider's own log: a value that was presented, whose it was, and whether it was accepted. */
export interface Presented {
  readonly at: number;
  readonly credentialId: string;
  readonly accepted: boolean;
}

interface Held {
  readonly credentialId: string;
  readonly label: string;
  readonly createdAt: number;
  readonly text: string;
  /** Fixed when it is made and when it is disabled: how long those take to be effective. */
  readonly acceptedFrom: number;
  enabled: boolean;
  acceptedUntil: number;
}

export interface MemoryProviderOptions {
  readonly clock: Clock;
  readonly name?: string;
  readonly traits?: Partial<ProviderTraits>;
  /** How long a new credential is still refused, and a disabled or deleted one still accepted. May change while it runs. */
  readonly activateSeconds?: number;
  readonly revokeSeconds?: number;
  /** Begins every credential's id and value, so that two vendors never mint the same. */
  readonly series?: string;
  /** What leak scanners call its keys. */
  readonly aliases?: Provider['about']['aliases'];
}

/** A provider in memory with what its own log and console would show; for the simulation and for tests. */
export interface MemoryProvider extends Provider {
  readonly log: readonly Presented[];
  /** Sessions derived before this instant are refused. */
  readonly sessions: { readonly endedBefore: string };
  /** Uses a value as a program would. */
  use(value: Value): boolean;
  accepts(credentialId: string): boolean;
  /** What its console shows. */
  credentials(): readonly {
    readonly credentialId: string;
    readonly label: string;
    readonly enabled: boolean;
    readonly createdAt: number;
  }[];
  /** Somebody else's hands: a credential made outside, one enabled again in the vendor's console. */
  stranger(label?: string): { readonly credentialId: string; readonly value: Value };
  enableInConsole(credentialId: string): void;
  /** From now on: accepts anything, refuses everything, or behaves. */
  mood: 'honest' | 'accepts everything' | 'refuses everything' | 'ignores disable';
}

/**
 * A provider of class C unless its traits say otherwise: it makes values, and shows each once. Class A takes the value that it is given and
 * class B knows a label again. `maxLive` slots that count disabled credentials; propagation on create and on disable.
 */
export function memoryProvider(options: MemoryProviderOptions): MemoryProvider {
  const { clock, series = '' } = options;
  const held = new Map<string, Held>();
  /** Deleted credentials are accepted until the deletion has propagated. */
  const deleted = new Map<string, { readonly text: string; readonly acceptedUntil: number }>();
  const log: Presented[] = [];
  const sessions = { endedBefore: '' };
  let serial = 0;
  const traits: ProviderTraits = {
    pattern: 'additive',
    class: 'C',
    maxLive: 2,
    countsDisabled: true,
    disable: 'disable',
    labelled: true,
    shared: false,
    keepsOne: false,
    lifetimeSeconds: null,
    activateSeconds: Math.max(1, options.activateSeconds ?? 0),
    revokeSeconds: Math.max(1, options.revokeSeconds ?? 0),
    probe: { alive: 2, denied: 3, everySeconds: 1 },
    ...options.traits,
  };
  const soon = (seconds = 0) => clock.now() + seconds * 1000;

  function accepts(credentialId: string): boolean {
    if (provider.mood === 'accepts everything') return true;
    if (provider.mood === 'refuses everything') return false;
    const gone = deleted.get(credentialId);
    if (gone) return clock.now() < gone.acceptedUntil;
    const one = held.get(credentialId);
    if (!one || clock.now() < one.acceptedFrom) return false;
    return one.enabled || clock.now() < one.acceptedUntil || provider.mood === 'ignores disable';
  }

  function use(value: Value): boolean {
    const text = value.reveal();
    const owner =
      [...held.values()].find((one) => one.text === text)?.credentialId ?? [...deleted].find(([, one]) => one.text === text)?.[0];
    const accepted = owner ? accepts(owner) : provider.mood === 'accepts everything';
    log.push({ at: clock.now(), credentialId: owner ?? 'unknown', accepted });
    return accepted;
  }

  function make(label: string, given?: Value): { credentialId: string; value: Value } {
    serial += 1;
    const credentialId = `${series}cred-${String(serial).padStart(4, '0')}`;
    const acceptedFrom = soon(options.activateSeconds);
    const text = given?.reveal() ?? `mem_canary_${series}${serial}_${Math.trunc(clock.now())}`;
    held.set(credentialId, { credentialId, label, createdAt: clock.now(), text, acceptedFrom, enabled: true, acceptedUntil: 0 });
    return { credentialId, value: new Value(text) };
  }

  const provider: MemoryProvider = {
    name: options.name ?? 'memory',
    traits,
    about: {
      title: 'A vendor in memory',
      docs: [],
      facts: [
        {
          about: ['create', 'list', 'probe', 'disable', 'delete'],
          is: 'observed',
          source: 'adapters/memory/provider.ts',
          on: '2026-11-24',
        },
      ],
      cannot: [],
      aliases: options.aliases ?? {},
      params: {},
      admin: {},
    },
    mood: 'honest',
    log,
    sessions,
    use,
    accepts,
    credentials: () => [...held.values()],
    stranger: (label = 'made by hand') => make(label),
    enableInConsole(credentialId) {
      const one = held.get(credentialId);
      if (one) one.enabled = true;
    },

    ...(traits.class === 'A' && {
      draw: (random) => new Value(`mem_drawn_${random}`),
      find: async (_subject, value) => [...held.values()].find(({ text }) => text === value.reveal())?.credentialId,
    }),

    async create(_subject, label, minting) {
      const known = [...held.values()].find((one) => (traits.class === 'B' ? one.label === label : one.text === minting?.value?.reveal()));
      if (known) return { credentialId: known.credentialId, value: new Value(known.text) };
      const occupied = [...held.values()].filter((one) => one.enabled || traits.countsDisabled);
      if (occupied.length >= traits.maxLive) throw new NoFreeSlot(`${occupied.length} credentials`);
      return make(label, minting?.value);
    },

    async list(): Promise<Credential[]> {
      return [...held.values()].map(({ credentialId, label, enabled, createdAt }) => ({
        credentialId,
        enabled,
        createdAt: new Date(createdAt).toISOString(),
        ...(traits.labelled ? { label } : {}),
      }));
    },

    async probe(_subject, value): Promise<Probe> {
      return use(value) ? { verdict: 'alive', detail: 'accepted' } : { verdict: 'denied', detail: 'refused' };
    },

    async disable(_subject, credentialId) {
      const one = held.get(credentialId);
      if (!one) return 'gone';
      if (one.enabled && provider.mood !== 'ignores disable') one.acceptedUntil = soon(options.revokeSeconds);
      one.enabled = false;
      return 'disabled';
    },

    async delete(_subject, credentialId) {
      const one = held.get(credentialId);
      if (!one) return 'gone';
      held.delete(credentialId);
      deleted.set(credentialId, { text: one.text, acceptedUntil: one.enabled ? soon(options.revokeSeconds) : one.acceptedUntil });
      return 'deleted';
    },

    async endSessions(_subject, before) {
      sessions.endedBefore = before;
    },

    async lastUsed(_subject, credentialId) {
      const last = log.filter((line) => line.credentialId === credentialId && line.accepted).at(-1);
      return { at: last ? new Date(last.at).toISOString() : 'never', accuracySeconds: 0 };
    },

    neverIssued: (random) => new Value(`mem_never_${random}`),
  };
  return provider;
}
