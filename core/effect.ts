import { type Attempt, record } from './attempt.ts';
import type { Commit } from './commit.ts';
import { Fenced, Superseded } from './errors.ts';
import type { Item, ItemKey } from './inventory.ts';
import { attribute, partition, putItem } from './items.ts';
import type { Key } from './key.ts';
import { instant } from './time.ts';

/** Every external write that a step makes, by name. A step cannot make one that is not listed here. */
export const effectNames = [
  'provider.create',
  'provider.disable',
  'provider.delete',
  'provider.endSessions',
  'secrets.put',
  'secrets.promote',
  'secrets.strip',
  'destination.write',
] as const;

export type EffectName = (typeof effectNames)[number];

export interface EffectSpec {
  readonly name: EffectName;
  /** What it acts on: a version's number, a credential's id, a destination's id. */
  readonly target: string;
  readonly mint?: number;
  /** Facts to keep with the intent: the provider's credential ids that were there before. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Other changes of the transaction that records the intent. */
  readonly intent?: Pick<Commit, 'set' | 'writes'>;
}

/** What an effect left in the inventory. */
export interface EffectRecord {
  readonly state: 'intended' | 'done' | 'failed';
  readonly at: string;
  readonly fence: number;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>>;
}

type Outcome = Omit<Commit, 'fence' | 'actor' | 'events'> & {
  readonly events?: Commit['events'];
  readonly result?: Readonly<Record<string, unknown>>;
};

/**
 * One external write, guarded (protocol.md §5.2): the intent is recorded under the attempt's fence, the call is made, the outcome
 * is recorded under the same fence together with whatever follows from it.
 * When the outcome is fenced out, `undo` (a move toward dead, or nothing) runs and the attempt ends with Fenced or Superseded.
 * When the call throws, the failure is recorded, if the fence still allows, and the error goes on.
 */
export async function effect<T>(
  attempt: Attempt,
  spec: EffectSpec,
  call: () => Promise<T>,
  outcome: (result: T, key: Key) => Outcome | Promise<Outcome> = () => ({}),
  undo?: (result: T) => Promise<unknown>,
): Promise<T> {
  const detail = {
    operation: attempt.operation.id,
    effect: spec.name,
    target: shown(spec.target),
    ...(spec.mint === undefined ? {} : { mint: spec.mint }),
  };
  const item = (state: EffectRecord['state'], result: Readonly<Record<string, unknown>> = {}): Item => ({
    ...effectKey(attempt, spec),
    ...(attribute({ state, at: instant(attempt.ports.clock.now()), fence: attempt.fence, facts: spec.facts ?? {}, result }) as object),
  });
  await record(attempt, () => ({
    ...spec.intent,
    writes: [putItem(item('intended')), ...(spec.intent?.writes ?? [])],
    events: [{ event: 'effect.intended', detail }],
  }));
  let result: T;
  try {
    result = await call();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'Error';
    await record(attempt, () => ({
      writes: [putItem(item('failed', { error: name }))],
      events: [{ event: 'effect.failed', detail: { ...detail, error: name } }],
    })).catch((fault: Error) =>
      attempt.ports.log.warn('the failure of an effect was not recorded', { effect: spec.name, key: attempt.keyId, error: fault.name }),
    );
    throw error;
  }
  try {
    await record(attempt, async (key) => {
      const { result: facts, writes = [], events = [], ...rest } = await outcome(result, key);
      return { ...rest, writes: [putItem(item('done', facts)), ...writes], events: [{ event: 'effect.done', detail }, ...events] };
    });
  } catch (error) {
    if (undo && (error instanceof Fenced || error instanceof Superseded)) await undo(result);
    throw error;
  }
  return result;
}

/** The record that an effect of this operation left, by any attempt. */
export async function findEffect(attempt: Attempt, spec: Pick<EffectSpec, 'name' | 'target' | 'mint'>): Promise<EffectRecord | undefined> {
  return (await attempt.ports.inventory.get(effectKey(attempt, spec))) as EffectRecord | undefined;
}

/** True when an attempt of this operation intended an effect of this name, whatever became of it. */
export async function wasIntended(attempt: Attempt, name: EffectName): Promise<boolean> {
  const items = await attempt.ports.inventory.list(partition(attempt.keyId), `EFF#${attempt.operation.id}#${name}#`);
  return items.length > 0;
}

/** A vendor's id goes into the history by its end only. */
const shown = (target: string): string => target.replace(/^credential:.*(?=.{4}$)/, 'credential:…');

function effectKey(attempt: Attempt, spec: Pick<EffectSpec, 'name' | 'target' | 'mint'>): ItemKey {
  return { pk: partition(attempt.keyId), sk: `EFF#${attempt.operation.id}#${spec.name}#${spec.target}#${spec.mint ?? 0}` };
}
