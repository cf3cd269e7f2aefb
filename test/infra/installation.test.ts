import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Refused, Refused as RefusedError } from '../../core/errors.ts';
import { defaultPolicy } from '../../core/policy.ts';
import { productionSettings } from '../../core/settings.ts';
import { readInstallation } from '../../infra/installation.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-installation-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function refusal(stage = 'test'): Refused {
  try {
    readInstallation(stage, folder);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const shipped = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('an installation', () => {
  test('without files of its own is production’s settings and the shipped policy', () => {
    const { settings, policy } = readInstallation('dev');
    expect(settings).toEqual({ ...productionSettings, stage: 'dev' });
    expect(policy).toEqual(defaultPolicy);
  });

  test('takes what its files say instead', () => {
    write('settings.yaml', 'settleSeconds: 90\nsweepSeconds:\n  high: 120\n');
    write('policy.yaml', shipped('policy.yaml').replace('rotateEvery: P30D', 'rotateEvery: P60D'));
    const { settings, policy } = readInstallation('test', folder);
    expect(settings).toMatchObject({ settleSeconds: 90, sweepSeconds: { high: 120, medium: 3600 } });
    expect(policy.tiers.high.rotateEverySeconds).toBe(60 * 24 * 3600);
  });

  test('is refused when its folder does not exist, instead of being production’s', () => {
    rmSync(folder, { recursive: true });
    expect(refusal().code).toBe('E_NOT_FOUND');
    mkdirSync(folder);
  });

  test.each([
    ['an unknown setting', 'settings.yaml', 'callSecond: 5\n', 'callSecond'],
    ['a setting of another type', 'settings.yaml', 'callSeconds: "5"\n', 'callSeconds'],
    ['settings that contradict each other', 'settings.yaml', 'callSeconds: 30\n', 'functionSeconds'],
  ])('is refused with %s', (_, file, text, path) => {
    write(file, text);
    expect(refusal().problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('is refused with a policy whose period is shorter than its overlap and soak', () => {
    write('policy.yaml', shipped('policy.yaml').replace('rotateEvery: P30D', 'rotateEvery: P1D'));
    expect(refusal().problems).toEqual([expect.objectContaining({ message: expect.stringContaining('overlapMax + soak') })]);
  });

  test('is refused when its settings are for another stage', () => {
    write('settings.yaml', 'stage: other\n');
    expect(refusal().message).toContain('for stage other');
  });

  test.each(['', 'Prod', '1st', 'a'.repeat(17), 'a/b'])('is refused for a stage called "%s"', (stage) => {
    expect(refusal(stage).code).toBe('E_INPUT_INVALID');
  });
});

describe('a provider of an installation', () => {
  const sandbox = shipped('adapters/providers/specs/sandbox.yaml');

  test('that runs on a laptop only is left out when it is shipped, and refused when it is the installation’s own', () => {
    expect(readInstallation('test').specs.map(({ metadata }) => metadata.id)).not.toContain('sandbox');
    write('providers/own.yaml', sandbox);
    expect(refusal().code).toBe('E_INPUT_INVALID');
  });

  test('that is reached over plain HTTP or on this machine is refused even when it does not say so', () => {
    write('providers/own.yaml', sandbox.replace(/^ *localOnly: true\n/m, ''));
    const { problems } = refusal();
    expect(problems.map(({ path }) => path)).toContain('base.default');
  });
});
