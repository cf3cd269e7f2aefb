import { setTimeout as pause } from 'node:timers/promises';
import { tiers } from '../core/key.ts';
import { notePolicyFile } from '../core/policy/refused-policy.ts';
import type { Ports } from '../core/ports.ts';
import { reconcile } from '../core/reconcile/reconcile.ts';
import { sealChains } from '../core/seal/seal-chains.ts';
import { sweep } from '../core/sweep.ts';
import { instant } from '../core/time.ts';
import type { LivePolicy } from './live-policy.ts';

/** Starts what the cloud's schedules do: a sweep per tier the reconciler and the seals, each again its interval after it ended; and looks at the policy file. Returns what stops them, after the round under way. */
export function startSchedules(ports: Ports, policy: LivePolicy): () => Promise<void> {
  const stopping = new AbortController();
  const { sweepSeconds, reconcileSeconds, sealSeconds } = ports.settings;

  const every = async (name: string, seconds: number, round: () => Promise<unknown>) => {
    while (!stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        ports.log.error(`${name} failed; the next round repeats it`, { error: (error as Error).name });
      }
      await pause(seconds * 1000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const loops = [
    ...tiers.map((tier) => every(`sweep ${tier}`, sweepSeconds[tier], () => sweep(ports, { tier }))),
    every('policy', reconcileSeconds, async () => {
      await policy.look();
      await notePolicyFile(ports, policy.refusal(), instant(ports.clock.now()));
    }),
    every('reconcile', reconcileSeconds, () => reconcile(ports)),
    every('seal', sealSeconds, () => sealChains(ports)),
  ];
  return async () => {
    stopping.abort();
    await Promise.all(loops);
  };
}
