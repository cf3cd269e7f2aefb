import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { tierOf } from '../../core/tier.ts';
import { testFacts } from '../support/world.ts';

const rows: readonly [facts: Partial<KeyFacts>, tier: string, because: string][] = [
  [{ environment: 'production' }, 'high', 'it is a production key'],
  [{ environment: 'prod-eu', exposure: 'isolated' }, 'high', 'it is a production key'],
  [{ privileged: true }, 'high', 'it is privileged'],
  [{ privileged: true, exposure: 'isolated', environment: 'dev' }, 'high', 'it is privileged'],
  [{ exposure: 'public' }, 'high', 'it is exposed to the internet'],
  [{ exposure: 'internal' }, 'medium', 'it is internal, with limited scope'],
  [{ exposure: 'internal', environment: 'dev' }, 'medium', 'it is internal, with limited scope'],
  [{ exposure: 'isolated' }, 'low', 'it is isolated and not for production'],
  [{ exposure: 'isolated', environment: 'preprod' }, 'low', 'it is isolated and not for production'],
];

describe('POL-T1 POL-T2 POL-T3 POL-T5: the tier of a key', () => {
  it.each(rows)('with %o is %s, because %s', (facts, tier, because) => {
    expect(tierOf(testFacts(facts), defaultPolicy)).toEqual({ tier, because });
  });
});
