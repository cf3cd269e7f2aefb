import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { explainKey } from '../../core/explain.ts';
import { getKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { showKey } from '../../core/show.ts';
import { steps } from '../../workflows/steps.ts';
import { type FaultKind, faultKinds, faults } from '../support/faults.ts';
import { encodings, findMarkers, windowLength } from '../support/marker.ts';
import { beginsRotation, untilStep } from '../support/operations.ts';
import { type Story, stories } from '../support/stories.ts';
import { adopted, services, testFacts, testSettings, world } from '../support/world.ts';

const planted = `sk_"test"&<b>'+/=%${'Zm9vYmFyQ'.repeat(2)}é-end`;

describe('the search for values', () => {
  const found = (text: string) => findMarkers(['another-value-altogether', planted], { log: `before ${text} after` });

  it.each(Object.entries(encodings))('finds one that is %s', (_as, encode) => {
    expect(found(encode(planted))).toMatchObject([{ sink: 'log', value: 1 }]);
  });

  it.each(['base64', 'base64url', 'gzip in base64', 'hex', 'JSON-escaped'])(
    'finds one inside a longer text that was made %s as one',
    (as) => {
      for (const lead of ['', 'a', 'ab', 'abc', '{"secret":"']) {
        expect(found(encodings[as]?.(`${lead}${planted}"}, and more`) ?? ''), lead).toHaveLength(1);
      }
    },
  );

  it('finds one in a text that was compressed twice', () => {
    expect(found(gzipSync(gzipSync(planted).toString('base64')).toString('base64'))).toHaveLength(1);
  });

  it('finds any twelve characters of one in a row, and does not cry at eleven', () => {
    for (let i = 0; i + windowLength <= planted.length; i++) {
      expect(found(planted.slice(i, i + windowLength)), String(i)).toHaveLength(1);
      expect(found(planted.slice(i, i + windowLength - 1)), String(i)).toHaveLength(0);
    }
  });

  it('finds nothing where nothing is, and says which sink and which value, never the value', () => {
    expect(findMarkers([planted], { log: 'nothing to see', event: '' })).toEqual([]);
    const finds = findMarkers(['x'.repeat(20), planted], { clean: 'x', dirty: `a ${planted} b` });
    expect(finds).toEqual([{ sink: 'dirty', value: 1, as: 'raw' }]);
    expect(JSON.stringify(finds)).not.toContain(planted.slice(0, windowLength));
  });
});

/** What left the processes of one history, by sink, and every value that was minted in it. */
let seen: Record<string, string[]>;
let minted: string[];
const say = (sink: string, what: unknown) => {
  seen[sink] = [...(seen[sink] ?? []), JSON.stringify(what) ?? 'undefined'];
};

beforeEach(() => {
  seen = {};
  minted = [];
  for (const step of steps) {
    const run = step.run;
    vi.spyOn(step, 'run').mockImplementation(async (ports, payload, attemptId) => {
      say('execution payloads', payload);
      try {
        const result = await run(ports, payload, attemptId);
        say('step results', result);
        return result;
      } catch (error) {
        const { name, message, stack } = error as Error;
        say('errors', { ...(error as Error), name, message, stack });
        throw error;
      }
    });
  }
});
afterEach(() => vi.restoreAllMocks());

/** The ports with an ear on everything that is said, and on what the provider mints. */
const overheard = (ports: Ports): Ports => ({
  ...ports,
  log: {
    info: (...line) => say('log lines', line),
    warn: (...line) => say('log lines', line),
    error: (...line) => say('log lines', line),
    measure: (...line) => say('log lines', line),
  },
  executions: {
    ...ports.executions,
    start: (...args) => {
      say('execution payloads', args);
      return ports.executions.start(...args);
    },
    succeed: (...args) => {
      say('execution payloads', args);
      return ports.executions.succeed(...args);
    },
    fail: (...args) => {
      say('execution payloads', args);
      return ports.executions.fail(...args);
    },
  },
  provider: (name) => {
    const provider = ports.provider(name);
    return {
      ...provider,
      create: async (...args) => {
        const created = await provider.create(...args);
        minted.push(created.value.reveal());
        return created;
      },
    };
  },
});

/** Tells a story with a fault at one call, to its end, and returns where a value was found. */
async function leaksOf(story: Story, kind: FaultKind | null, at: number): Promise<{ leaks: unknown[]; calls: number; values: number }> {
  seen = {};
  minted = [];
  const injected = faults(kind && { kind, at }, testSettings.functionSeconds + testSettings.settleSeconds - 1);
  const w = world({ wrap: (ports) => overheard(injected.wrap(ports)) });
  try {
    const stranger = w.provider.stranger;
    w.provider.stranger = (label) => {
      const made = stranger(label);
      minted.push(made.value.reveal());
      return made;
    };
    services(w, story.facts);
    await story.setUp(w, story.facts);
    injected.arm();
    let happened = false;
    void story.happen(w, story.facts).then(() => {
      happened = true;
    });
    await w.until(async () => {
      const key = await getKey(w.ports, story.facts.id);
      return happened && key.state === 'active' && !key.rotation && !key.revocation;
    });
    await w.pass(90);
    say('reports', [await showKey(w.ports, story.facts.id), await explainKey(w.ports, story.facts.id)]);
    const sinks = Object.fromEntries(Object.entries(seen).map(([sink, said]) => [sink, said.join('\n')]));
    const leaks = findMarkers(minted, { ...sinks, items: JSON.stringify(w.inventory.items()), notices: JSON.stringify(w.notices) });
    return { leaks, calls: injected.calls.length, values: new Set(minted).size };
  } finally {
    w.stop();
  }
}

const takenBack: Story = {
  facts: testFacts(),
  setUp: async (w, facts) => void (await adopted(w, facts)),
  happen: async (w, { id }) => {
    await beginsRotation(w, id);
    await untilStep(w, id, 'confirm');
    await requestRollback(w.ports, { keyId: id, reason: 'test' }, 'owner');
  },
};

describe('INV-20 POL-F9 POL-U5: no value, in any encoding, is in an item, a notice, a payload, a result, an error, a report or a log line of', () => {
  it.each(Object.entries(stories))(
    '%s, whatever call fails in whatever way',
    async (_name, story) => {
      const smooth = await leaksOf(story, null, 0);
      expect(smooth.leaks).toEqual([]);
      expect(smooth.values).toBeGreaterThan(0);
      const dirty: unknown[] = [];
      for (let at = 1; at <= smooth.calls; at++) {
        // Each call meets one of the faults, in turn.
        const kind = faultKinds[at % faultKinds.length] as FaultKind;
        const { leaks } = await leaksOf(story, kind, at);
        if (leaks.length) dirty.push({ kind, at, leaks });
      }
      expect(dirty).toEqual([]);
    },
    120_000,
  );

  it('a rotation that its owner takes back', async () => {
    expect(await leaksOf(takenBack, null, 0)).toMatchObject({ leaks: [], values: 2 });
  });

  it('and would be found in each of these, if it were there', async () => {
    // The start of the execution fails, so that there is something to log.
    await leaksOf(stories['a revocation of everything'] as Story, 'error before', 3);
    const value = minted[0] ?? '';
    expect(Object.keys(seen).sort()).toEqual(['errors', 'execution payloads', 'log lines', 'reports', 'step results']);
    for (const [sink, said] of Object.entries(seen)) expect(findMarkers([value], { [sink]: `${said.join('\n')}${value}` })).toHaveLength(1);
  });
});
