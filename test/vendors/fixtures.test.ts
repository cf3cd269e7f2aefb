import { describe, expect, it } from 'vitest';
import { bundledSpecs, loadSpecs } from '../../adapters/providers/load-spec.ts';
import { missingFixtures, runFixtures } from '../../adapters/providers/run-fixtures.ts';

const specs = loadSpecs([bundledSpecs]).map((spec) => [spec.metadata.id, spec] as const);

describe('the fixtures of a shipped spec', () => {
  it.each(specs)('%s does what its fixtures say', async (_name, spec) => {
    const runs = await runFixtures(spec);
    expect(runs.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`))).toEqual([]);
  });

  it.each(specs)('%s has one for each operation, both verdicts and what is gone already', (_name, spec) => {
    expect(missingFixtures(spec)).toEqual([]);
  });

  it.each(specs)('%s: a fixture whose request differs in one field goes red', async (_name, spec) => {
    const bent = structuredClone(spec) as unknown as { fixtures: { exchanges: { request: { url: string } }[] }[] };
    for (const { exchanges } of bent.fixtures) for (const { request } of exchanges) request.url += '/x';
    const runs = await runFixtures(bent as unknown as typeof spec);
    expect(runs.every(({ faults }) => faults.length > 0)).toBe(true);
  });
});
