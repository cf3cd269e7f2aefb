import type { KeyFacts, Tier } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Policy } from '../../core/policy.ts';
import { consumerNamed, testFacts } from '../support/world.ts';

/** The sample fleet of ninety days: who owns what, at which vendor, and everything that happens to it. Days are counted from the first midnight. */
export const startsAt = Date.UTC(2026, 0, 1);
export const days = 90;

const owners = ['ana', 'bob', 'cem', 'dee', 'eve', 'fay', 'gus', 'hal', 'ivy', 'jon', 'kim', 'leo'];
const vendors = ['stripe', 'github', 'datadog', 'sendgrid', 'acme'];
const kinds: readonly { readonly tier: Tier; readonly facts: Partial<KeyFacts> }[] = [
  { tier: 'high', facts: { environment: 'production' } },
  { tier: 'medium', facts: { environment: 'staging' } },
  { tier: 'high', facts: { environment: 'staging', privileged: true } },
  { tier: 'low', facts: { environment: 'dev', exposure: 'isolated' } },
  { tier: 'medium', facts: { environment: 'test' } },
];

export interface SampleKey {
  readonly facts: KeyFacts;
  /** As the policy's words say, written down by hand. */
  readonly tier: Tier;
}

/** Sixty-six keys of all tiers, twelve owners, five vendors, two units. */
export const fleet: readonly SampleKey[] = Array.from({ length: 66 }, (_, i) => {
  const { tier, facts } = kinds[i % kinds.length] as (typeof kinds)[number];
  const environment = facts.environment ?? 'dev';
  const at = `app-${i}`;
  const owner = owners[i % owners.length] as string;
  return {
    tier,
    facts: testFacts({
      id: `${owner}/key-${String(i).padStart(2, '0')}`,
      owner,
      team: `team-${i % 4}`,
      unit: i % 3 === 0 ? 'cards' : 'maps',
      provider: vendors[(i * 7 + Math.floor(i / 5)) % vendors.length] as string,
      params: { principal: at },
      exclusive: true,
      destinations: [{ id: 'app', kind: 'memory', at, environment }],
      consumers: [{ ...consumerNamed(`service-${i % 9}`), refreshSeconds: 600 }],
      ...facts,
    }),
  };
});

const day = 86_400;
/** Nothing of a high tier starts in these days. */
export const freeze = { from: 57, until: 62 };
export const departure = { day: 40.5, person: 'bob' };
export const vendorEnd = { day: 70.5, vendor: 'acme' };
export const leak = { day: 20.5, key: 'fay/key-05' };
/** A key that nobody uses: its owner is asked when its tier's sixty days are over, and says at once that it may go. */
export const dormant = { key: 'hal/key-31', answeredWithinDays: 2 };
/** Asked for by one, approved a day later by another. */
export const exceptions: readonly { readonly key: string; readonly asked: number; readonly until: number }[] = [
  { key: 'ana/key-00', asked: 10, until: 45 },
  { key: 'cem/key-14', asked: 22, until: 80 },
  { key: 'gus/key-06', asked: 50, until: 75 },
];

export const policy: Policy = {
  ...defaultPolicy,
  tiers: {
    high: { ...defaultPolicy.tiers.high, rotateEverySeconds: 30 * day },
    medium: { ...defaultPolicy.tiers.medium, rotateEverySeconds: 65 * day },
    low: { ...defaultPolicy.tiers.low, rotateEverySeconds: 85 * day },
  },
  holds: [
    {
      name: 'release freeze',
      reason: 'a release',
      when: { tier: ['high'] },
      from: new Date(startsAt + freeze.from * day * 1000).toISOString(),
      until: new Date(startsAt + freeze.until * day * 1000).toISOString(),
    },
  ],
};
