import { describe, expect, it } from 'vitest';
import { memoryProvider } from '../../adapters/memory/provider.ts';
import type { Consumer } from '../../core/consumer.ts';
import { consumerProblems } from '../../core/consumer-fit.ts';
import { explainKey } from '../../core/explain.ts';
import { overlapOf } from '../../core/overlap.ts';
import type { TierPolicy } from '../../core/policy.ts';
import { end } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, testPolicy, world } from '../support/world.ts';

const tier: TierPolicy = { ...testPolicy.tiers.high, overlapMinSeconds: 100, overlapMaxSeconds: 1000 };
const with_ = (more: Partial<Consumer>) => testFacts({ consumers: [consumerNamed('api'), { ...consumerNamed('slow'), ...more }] });

describe('the overlap of a rotation', () => {
  it.each<[name: string, facts: ReturnType<typeof testFacts>, activateSeconds: number, minSeconds: number]>([
    ['is the tier’s least', testFacts(), 0, 100],
    ['is what the owner asks for', testFacts({ overlapSeconds: 300 }), 0, 300],
    ['is activation + the longest refresh + its deploy, when that is more', with_({ refreshSeconds: 60, deploySeconds: 200 }), 50, 310],
    ['is at least twice the slowest consumer’s refresh', with_({ refreshSeconds: 80 }), 10, 160],
    ['is never less than that, whatever the owner asks for', { ...with_({ refreshSeconds: 80 }), overlapSeconds: 10 }, 0, 160],
    ['is never more than the tier’s most', testFacts({ overlapSeconds: 5000 }), 0, 1000],
    ['of a key without consumers is the tier’s least', testFacts({ consumers: [] }), 400, 100],
  ])('%s', (_name, facts, activateSeconds, minSeconds) => {
    expect(overlapOf(facts, tier, activateSeconds)).toMatchObject({ minSeconds, maxSeconds: 1000 });
  });

  it('is explained as a sum, with the consumer that needs it', async () => {
    const facts = with_({ refreshSeconds: 60, deploySeconds: 200 });
    expect(overlapOf(facts, tier, 50).because).toBe(
      'the larger of 100 s by its tier and 310 s for slow (50 s activation + 60 s refresh + 200 s deploy; at least 2 × refresh), at most 1000 s',
    );
    const w = world({ provider: { traits: { activateSeconds: 50 } } });
    try {
      const keyId = await adopted(w, facts);
      const answers = (await explainKey(w.ports, keyId)).answers.flatMap(({ answer }) => answer);
      expect(answers.join('\n')).toContain('310 s for slow (50 s activation + 60 s refresh + 200 s deploy');
    } finally {
      await end(w);
    }
  });
});

describe('row 39: consumers that could never move in time', () => {
  const vendor = memoryProvider({ traits: { activateSeconds: 50 }, clock: { now: () => 0 } });
  const { lastUsed: _none, ...mute } = vendor;
  const problems = (facts: ReturnType<typeof testFacts>, provider = vendor) =>
    consumerProblems(facts, tier, provider).map(({ path, message }) => `${path}: ${message}`);

  it('are refused by name: an overlap that is asked for and too short for one', () => {
    expect(problems({ ...with_({ refreshSeconds: 60, deploySeconds: 200 }), overlapSeconds: 200 })).toEqual([
      expect.stringMatching(/^overlap: 200 s is too short: .*310 s for slow/),
    ]);
  });

  it('are refused by name: one that needs more than the tier’s cap', () => {
    expect(problems(with_({ refreshSeconds: 501 }))).toEqual([
      'consumers.1.refresh: slow needs an overlap of 1002 s, the tier allows 1000 s',
    ]);
  });

  it('are refused by name: one that must be restarted, and does not say how long that takes', () => {
    expect(problems(with_({ class: 'restart-only' }))).toEqual([expect.stringMatching(/^consumers\.1\.deploy: slow is restart-only/)]);
    expect(problems(with_({ class: 'restart-only', deploySeconds: 60 }))).toEqual([]);
  });

  it('are refused by name: proofs that the vendor cannot show', () => {
    const expected = [expect.stringMatching(/^consumers\.1\.proof: .* does not tell when/)];
    expect(problems(with_({ proof: 'quiet' }), mute as typeof vendor)).toEqual(expected);
    expect(problems(with_({ proof: 'first-use' }), mute as typeof vendor)).toEqual(expected);
  });

  it('are refused by name: a first use that could be somebody else’s', () => {
    expect(problems(with_({ proof: 'first-use' }))).toEqual([expect.stringMatching(/^consumers\.1\.proof: a use is only proof where/)]);
    const alone = testFacts({
      consumers: [{ ...consumerNamed('one'), proof: 'first-use' }],
      destinations: testFacts().destinations.slice(0, 1),
    });
    expect(problems(alone)).toEqual([]);
    expect(problems({ ...alone, readers: ['anna'] })).toHaveLength(1);
  });
});
