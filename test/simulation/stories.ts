import type { KeyPlan, Plan, RequestPlan } from './plan.ts';

/** The plainest key: two services that move at once, two destinations, two slots that count disabled credentials. */
const plainKey: KeyPlan = {
  services: ['prompt', 'prompt'],
  destinations: 2,
  exclusive: true,
  slots: 2,
  countsDisabled: true,
  class: 'C',
  activateSeconds: 0,
  revokeSeconds: 0,
  risk: 'medium',
  reissue: 'automatic',
  adopted: true,
};

export const asked = (what: RequestPlan['what'], atSeconds: number): RequestPlan => ({ what, atSeconds, key: 0 });

export function story(requests: readonly RequestPlan[], key: Partial<KeyPlan> = {}, faults: Plan['faults'] = []): Plan {
  return { seed: 1, start: 'winter', rotateEverySeconds: 86_400, atOverlapMax: 'hold', keys: [{ ...plainKey, ...key }], requests, faults };
}

export const once = (kind: string, atSeconds: number): Plan['faults'][number] => ({ kind, atSeconds, lastsSeconds: 1, skip: 0 });

/** Histories without chance, by name: what each operation does, at its barest. Every boundary of them is struck in turn. */
export const stories: Readonly<Record<string, Plan>> = {
  'a rotation': story([asked('rotate', 0)]),
  'a rotation whose services poll': story([asked('rotate', 0)], { services: ['polls', 'polls'] }),
  'a rotation after another': story([asked('rotate', 0), asked('rotate', 50)]),
  'the first issue': story([asked('rotate', 0)], { adopted: false }),
  'a rotation that is taken back': story([asked('rotate', 0), asked('take back', 9)]),
  'a revocation of everything': story([asked('revoke everything', 0)]),
  'a revocation of the old version during a rotation': story([asked('rotate', 0), asked('revoke previous', 9)]),
  'a revocation of the new version during a rotation': story([asked('rotate', 0), asked('revoke current', 9)]),
  'a revocation while a version is minted, at a slow vendor': story([asked('rotate', 0), asked('revoke everything', 3)], {
    activateSeconds: 3,
    revokeSeconds: 6,
  }),
  'a second revocation before the first has ended': story([asked('revoke everything', 0), asked('report a leak', 6)]),
  'a held reissue that is released': story([asked('revoke, source unknown', 0), asked('release the reissue', 40)]),
  'a stranger beside an idle key': story([], { exclusive: false }, [once('a stranger makes a credential', 1)]),
  'proofs made with a value that is not the new one': story([asked('rotate', 0)], { services: ['slow', 'slow'] }, [
    { kind: 'a service reads a stale cache', atSeconds: 0, lastsSeconds: 60, skip: 0 },
  ]),
  'repairs of an idle key': story([], {}, [
    once('somebody overwrites a destination', 1),
    once('a stranger makes a credential', 1),
    once('an operator enables a dead credential', 1),
  ]),
};
