import type { FaultPlan, KeyPlan, Plan, RequestPlan } from './plan.ts';
import { asked, once, story } from './stories.ts';

/** A key with nobody to wait for. */
const quiet: Partial<KeyPlan> = { services: [], destinations: 1, exclusive: false };

const during = (kind: string, atSeconds: number, lastsSeconds: number): FaultPlan => ({ kind, atSeconds, lastsSeconds, skip: 0 });

const seeded = (seed: number, requests: readonly RequestPlan[], key: Partial<KeyPlan>, faults: Plan['faults'] = []): Plan => ({
  ...story(requests, key, faults),
  seed,
});

/** The smallest plans that once broke an invariant of the product: what was wrong, and the plan. Seeds change with every new fault; plans stay. */
export const regressions: readonly { readonly was: string; readonly plan: Plan }[] = [
  {
    was: 'AWSCURRENT, moved by somebody else to a version that was revoked, stayed there',
    plan: story([asked('revoke everything', 0)], {}, [once('somebody moves a label', 60)]),
  },
  {
    was: 'a first version that services used was disabled because its issue was taken back',
    plan: seeded(0, [asked('take back', 5), asked('rotate', 0)], { ...quiet, services: ['prompt'], activateSeconds: 2, adopted: false }),
  },
  {
    was: 'a rollback waited for ever for services whose destination somebody had overwritten meanwhile',
    plan: story([asked('rotate', 0), asked('take back', 9)], { services: ['slow'], destinations: 1 }, [
      once('somebody overwrites a destination', 22),
    ]),
  },
  {
    was: 'a rollback never ended because AWSCURRENT had been moved to a value that was given up',
    plan: seeded(166233776, [asked('rotate', 3)], { ...quiet, activateSeconds: 1 }, [
      during('somebody moves a label', 4, 1),
      during('the provider answers 429', 4, 21),
    ]),
  },
  {
    was: 'a person who was called because a reissue was stuck was called for ever, and revoked what had been issued since',
    plan: seeded(916444063, [asked('revoke current', 72), asked('revoke current', 14)], { ...quiet, destinations: 3, activateSeconds: 2 }, [
      { ...during('crash before', 14, 19), skip: 12 },
      during('an operator disables a live credential', 86, 13),
    ]),
  },
  {
    was: 'a revoked key was said to wait for the confirmation of a rotation that had been displaced',
    plan: seeded(0, [asked('rotate', 0), asked('revoke everything', 66)], quiet, [during('paused and resumed', 16, 1)]),
  },
  {
    was: 'a late attempt put its token over the one that Confirm waits on, and nothing moved for an hour',
    plan: seeded(0, [asked('rotate', 0)], quiet, [during('paused and resumed', 3, 1)]),
  },
  {
    was: 'a revocation was never acknowledged because the inventory did not take the record of Notify',
    plan: seeded(5813019, [asked('revoke everything', 2), asked('hold', 0)], { ...quiet, adopted: false }, [
      during('crash before', 0, 1),
      during('transactions conflict', 12, 11),
      { ...during('crash before', 5, 1), skip: 10 },
    ]),
  },
];
