import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { productionSettings } from '../../core/settings.ts';
import { livePolicy } from '../../local/live-policy.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-policy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const good = readFileSync('policy.yaml', 'utf8');
const other = good.replace("version: '1'", "version: '2'").replace('perHour: 600', 'perHour: 300');
const bad = good.replace('rotateEvery: P30D', 'rotateEvery: never');
const file = () => join(folder, 'policy.yaml');
const lastGood = () => join(folder, 'policy.last-good.yaml');
const open = () => livePolicy({ file: file(), lastGood: lastGood(), settings: productionSettings });

describe('row 36: the policy of this machine', () => {
  it('is the file’s, and a changed file counts from the next look on', async () => {
    writeFileSync(file(), good);
    const policy = open();
    expect(policy.current()).toEqual(defaultPolicy);
    await policy.look();
    writeFileSync(file(), other);
    expect(policy.current().version).toBe('1');
    expect(await policy.look()).toBe(true);
    expect(policy.current()).toMatchObject({ version: '2', pace: { perHour: 300 } });
    expect(readFileSync(lastGood(), 'utf8')).toBe(other);
    expect(await policy.look()).toBe(false);
  });

  it('stays the last good one when the file becomes bad, with line and column; a good file is taken again', async () => {
    writeFileSync(file(), good);
    const policy = open();
    await policy.look();
    writeFileSync(file(), bad);
    expect(await policy.look()).toBe(true);
    expect(policy.current()).toEqual(defaultPolicy);
    expect(policy.refusal()).toMatchObject({ problems: [{ path: expect.stringMatching(/line \d+, column 5: tiers.high.rotateEvery$/) }] });
    expect(readFileSync(lastGood(), 'utf8')).toBe(good);
    writeFileSync(file(), other);
    await policy.look();
    expect([policy.refusal(), policy.current().version]).toEqual([null, '2']);
  });

  it('is the last good one also after a restart with a bad file', async () => {
    writeFileSync(file(), other);
    await open().look();
    writeFileSync(file(), bad);
    const again = open();
    expect(again.current().version).toBe('2');
    expect(again.refusal()?.problems).toHaveLength(1);
    await again.look();
    expect(readFileSync(lastGood(), 'utf8')).toBe(other);
  });

  it('is nobody’s guess: a bad file of which no good edition is known starts nothing', () => {
    writeFileSync(file(), bad);
    expect(open).toThrow(/not a policy/);
    expect(existsSync(lastGood())).toBe(false);
  });

  it('is the one that ships where there is no file, and a file that is taken away changes nothing', async () => {
    expect(livePolicy({ file: undefined, lastGood: lastGood(), settings: productionSettings }).current()).toEqual(defaultPolicy);
    writeFileSync(file(), other);
    const policy = open();
    rmSync(file());
    await policy.look();
    expect(policy.current().version).toBe('2');
  });
});
