import { expect } from 'vitest';
import { receive } from '../../core/adoption.ts';
import { getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Policy, TierPolicy } from '../../core/policy.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, noticeTo, receiptFor, untilStep } from './operations.ts';
import { adopted, testFacts, testPolicy, type World } from './world.ts';

/** The tier of the key, and the policy with another one in its place. */
export const tier: TierPolicy = testPolicy.tiers.medium;
export const withTier = (more: Partial<TierPolicy>): Policy => {
  const medium = { ...tier, ...more };
  return { ...testPolicy, tiers: { high: tier, medium, low: medium } };
};

/** Long after every overlap is at its cap, in seconds. */
const farBeyond = 5 * tier.overlapMaxSeconds;

/** Takes a key over and rotates it until its consumers are waited for; its id. */
export async function waitsForConsumers(w: World, facts: KeyFacts = testFacts()): Promise<string> {
  const keyId = await adopted(w, facts);
  await beginsRotation(w, keyId);
  await untilStep(w, keyId, 'confirm');
  return keyId;
}

export const rotationOf = async (w: World, keyId: string) => (await getKey(w.ports, keyId)).rotation;

/** A consumer proves its move with the newest notice of that type to it. */
export const proves = async (w: World, name: string, type: 'key.issued' | 'key.overlap.ending' | 'key.receipt.missing' = 'key.issued') =>
  receive(w.ports, await receiptFor(w, noticeTo(w, name, type)), name);

/** Whether the vendor takes the first value. */
export const oldWorks = (w: World): boolean => w.provider.accepts('cred-0001');

export const eventsOf = async (w: World, keyId: string, event: string) =>
  (await history(w.ports, keyId)).filter((one) => one.event === event);

/** Passes the cap by far and expects that the rotation goes on waiting and that the old value works. */
export async function nothingDied(w: World, keyId: string): Promise<void> {
  await w.pass(farBeyond);
  expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rotating', rotation: { confirmedAt: null, ponr: false } });
  expect(oldWorks(w)).toBe(true);
}
