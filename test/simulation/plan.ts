import fc from 'fast-check';
import { faultKinds } from './faults/registry.ts';

/** How a service behaves: what it does when it is told to refresh. */
export type Manner = 'prompt' | 'slow' | 'polls' | 'quiet' | 'first-use' | 'silent';

/** One key of a history, as a few choices; `facts.ts` makes the owner's facts of them. */
export interface KeyPlan {
  readonly services: readonly Manner[];
  readonly destinations: number;
  readonly exclusive: boolean;
  readonly slots: 2 | 3;
  readonly countsDisabled: boolean;
  /** The vendor's class (protocol.md §6): it takes our value, knows our label again, or shows its own value once. */
  readonly class: 'A' | 'B' | 'C';
  readonly activateSeconds: number;
  readonly revokeSeconds: number;
  readonly risk: 'high' | 'medium' | 'low';
  readonly reissue: 'automatic' | 'held';
  /** False: the first version is minted by the first rotation. */
  readonly adopted: boolean;
}

export const requestKinds = [
  'rotate',
  'take back',
  'revoke everything',
  'revoke current',
  'revoke previous',
  'report a leak',
  'revoke, source unknown',
  'hold',
  'end the hold',
  'confirm for a service',
  'release the reissue',
  'close as a mistake',
  'change the facts',
] as const;
export type RequestKind = (typeof requestKinds)[number];

export interface RequestPlan {
  readonly what: RequestKind;
  readonly atSeconds: number;
  readonly key: number;
}

export interface FaultPlan {
  readonly kind: string;
  readonly atSeconds: number;
  readonly lastsSeconds: number;
  /** Strikes: how many fitting calls pass first. */
  readonly skip: number;
}

/** Everything that is chosen before a history runs. Small, printable, and shrinkable. */
export interface Plan {
  readonly seed: number;
  readonly start: 'winter' | 'before summer time' | 'before a leap day';
  readonly rotateEverySeconds: 86_400 | 300;
  readonly atOverlapMax: 'hold' | 'roll-back' | 'retire';
  readonly keys: readonly KeyPlan[];
  readonly requests: readonly RequestPlan[];
  readonly faults: readonly FaultPlan[];
}

/** The end of phase one: after it nothing new is asked for, and no fault begins. */
export const lastSecond = 90;

const oftenest = <T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(first) }, { weight: 2, arbitrary: fc.constantFrom(first, ...others) });

const keyPlans: fc.Arbitrary<KeyPlan> = fc.record({
  services: fc.array(oftenest<Manner>('prompt', 'slow', 'polls', 'quiet', 'first-use', 'silent'), { maxLength: 3 }),
  destinations: fc.integer({ min: 1, max: 3 }),
  exclusive: fc.boolean(),
  slots: fc.constantFrom(2, 3),
  countsDisabled: oftenest(true, false),
  class: oftenest<KeyPlan['class']>('C', 'A', 'B'),
  activateSeconds: fc.integer({ min: 0, max: 3 }),
  revokeSeconds: fc.integer({ min: 0, max: 6 }),
  risk: fc.constantFrom('medium', 'high', 'low'),
  reissue: oftenest<KeyPlan['reissue']>('automatic', 'held'),
  adopted: oftenest(true, false),
});

const seconds = fc.integer({ min: 0, max: lastSecond });

const requestPlans: fc.Arbitrary<RequestPlan> = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<RequestKind>('rotate', 'revoke everything', 'revoke current', 'take back') },
    { weight: 3, arbitrary: fc.constantFrom(...requestKinds) },
  ),
  atSeconds: seconds,
  key: fc.nat(1),
});

const faultPlans: fc.Arbitrary<FaultPlan> = fc.record({
  kind: fc.oneof(
    // What strikes one call is where protocols break: oftener than the rest.
    { weight: 1, arbitrary: fc.constantFrom(...faultKinds.filter(({ strike }) => strike).map(({ name }) => name)) },
    { weight: 1, arbitrary: fc.constantFrom(...faultKinds.filter(({ strike }) => !strike).map(({ name }) => name)) },
  ),
  atSeconds: seconds,
  lastsSeconds: fc.integer({ min: 1, max: 25 }),
  skip: fc.nat(12),
});

/** Plans of any kind; the smallest is one key, one request and nothing that goes wrong. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(0x7fffffff),
  start: oftenest<Plan['start']>('winter', 'before summer time', 'before a leap day'),
  rotateEverySeconds: oftenest<Plan['rotateEverySeconds']>(86_400, 300),
  atOverlapMax: oftenest<Plan['atOverlapMax']>('hold', 'roll-back', 'retire'),
  keys: fc.array(keyPlans, { minLength: 1, maxLength: 2 }),
  requests: fc.array(requestPlans, { minLength: 1, maxLength: 4 }),
  faults: fc.array(faultPlans, { maxLength: 5 }),
});

/** The plan that a seed stands for. */
export function planOf(seed: number): Plan {
  const [plan] = fc.sample(fc.noBias(plans), { seed, numRuns: 1 });
  return plan as Plan;
}
