import { adoptVersion } from '../../core/adopt.ts';
import { Refused } from '../../core/errors.ts';
import { type KeyFacts, tiers } from '../../core/key.ts';
import type { Policy, TierPolicy } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import type { Settings } from '../../core/settings.ts';
import { sweep } from '../../core/sweep.ts';
import { type Calendar, calendarOf } from './calendar.ts';
import { composeRehearsal } from './compose.ts';
import { virtualTime } from './virtual-time.ts';

export interface RehearsalOptions {
  readonly keys: readonly KeyFacts[];
  readonly policy: Policy;
  readonly settings: Settings;
  readonly days: number;
  /** Instant, in milliseconds, at which the first day begins. */
  readonly start: number;
  /** Told the simulated instant now and then. */
  readonly onProgress?: (now: number) => void;
}

export interface Refusal {
  readonly keyId: string;
  readonly code: string;
  readonly message: string;
}

export interface Rehearsal extends Calendar {
  /** Keys that could not even be registered beside the others. */
  readonly refused: readonly Refusal[];
}

/** Nothing breaks by itself here, so the reconciler is needed for what only time decides: it looks every five minutes, and at keys that rest once a day. */
const calm = { reconcileSeconds: 300, idleCheckSeconds: 86_400 };

const calmly = (policy: Policy): Policy => {
  const { high, medium, low } = policy.tiers;
  const [h, m, l] = [high, medium, low].map((tier) => ({ ...tier, probeEverySeconds: calm.idleCheckSeconds })) as [
    TierPolicy,
    TierPolicy,
    TierPolicy,
  ];
  return { ...policy, tiers: { high: h, medium: m, low: l } };
};

/**
 * What a policy would do with some keys for `days` days: the production steps and workflow files in memory, in virtual time, with vendors
 * that work and consumers that do what their owners say. Every key is adopted on the first day, with a version that is new then. Takes over
 * the timers of this process while it runs. The same options give the same calendar.
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const { keys, policy, days, start, onProgress } = options;
  const settings: Settings = { ...options.settings, ...calm };
  const time = virtualTime(start);
  try {
    const { ports, stop } = composeRehearsal(keys, calmly(policy), settings);
    const refused = await adoptAll(ports, keys);
    const looking = [
      ...tiers.map((tier) => every(settings.sweepSeconds[tier], () => sweep(ports, { tier }))),
      every(settings.reconcileSeconds, () => reconcile(ports)),
    ];
    await time.runUntil(start + days * 86_400_000, onProgress);
    for (const timer of looking) clearInterval(timer);
    const calendar = await calendarOf(ports);
    stop();
    return { ...calendar, refused };
  } finally {
    time.end();
  }
}

/** In every interval the work once; a round that takes longer than that is not started twice. */
function every(seconds: number, work: () => Promise<unknown>): NodeJS.Timeout {
  let under = false;
  return setInterval(() => {
    if (under) return;
    under = true;
    void work().finally(() => {
      under = false;
    });
  }, seconds * 1000);
}

async function adoptAll(ports: Ports, keys: readonly KeyFacts[]): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  for (const [index, facts] of keys.entries()) {
    try {
      await registerKey(ports, facts, 'rehearsal');
      const subject = { keyId: facts.id, account: facts.account, params: facts.params };
      const { credentialId, value } = await ports.provider(facts.provider).create(subject, 'adopted');
      const token = `00000000-0000-8000-a000-${index.toString(16).padStart(12, '0')}`;
      await ports.secrets.put(facts.id, token, value);
      await adoptVersion(ports, { keyId: facts.id, token, credentialId }, 'rehearsal');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const [problem] = error.problems;
      refused.push({ keyId: facts.id, code: error.code, message: problem ? `${problem.path}: ${problem.message}` : error.message });
    }
  }
  return refused;
}
