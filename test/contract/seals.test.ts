import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileSeals } from '../../adapters/file/seals.ts';
import { memorySeals } from '../../adapters/memory/seals.ts';
import type { Seals } from '../../core/ports.ts';
import { rootOf } from '../../core/seal/merkle.ts';
import { noSeal, sealHash } from '../../core/seal/seal.ts';
import { verifySeals } from '../../core/seal/verify-seals.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-seals-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => fileSeals({ dir: join(folder, 'seals'), keyFile: join(folder, 'seal.key') });

describe.each<[string, () => Seals]>([
  ['in memory', memorySeals],
  ['in files', files],
])('seals %s', (_where, make) => {
  test('are kept under their numbers, and the last one is known', async () => {
    const seals = make();
    expect(await seals.last()).toBe(0);
    expect(await seals.read(1)).toBeUndefined();
    await seals.keep(1, 'one');
    await seals.keep(2, 'two');
    expect([await seals.last(), await seals.read(1), await seals.read(2)]).toEqual([2, 'one', 'two']);
  });

  test('are never replaced: the same again changes nothing, another one is a conflict', async () => {
    const seals = make();
    await seals.keep(1, 'one');
    await seals.keep(1, 'one');
    await expect(seals.keep(1, 'other')).rejects.toMatchObject({ name: 'StoreConflict' });
    expect(await seals.read(1)).toBe('one');
  });

  test('are signed so that the public key alone checks them', async () => {
    const seals = make();
    const seal = { number: 1, at: '2026-01-05T08:00:00.000Z', stage: 'test', previous: noSeal, root: rootOf([]), count: 0 };
    const hash = sealHash(seal);
    const text = JSON.stringify({ seal, hash, ...(await seals.sign(hash)), heads: [] });
    expect((await verifySeals([text], await seals.publicKey())).problems).toEqual([]);
    const edited = text.replace('"stage":"test"', '"stage":"prod"');
    expect((await verifySeals([edited], await seals.publicKey())).problems).toHaveLength(1);
  });
});

describe('seals in files', () => {
  test('are signed with one key, whoever makes it first, and nobody else can read it', async () => {
    const signers = await Promise.all([files(), files(), files()].map(async (seals) => (await seals.sign('00')).signer));
    expect(new Set(signers).size).toBe(1);
    expect(statSync(join(folder, 'seal.key')).mode & 0o777).toBe(0o600);
    await files().keep(1, 'one');
    expect(readdirSync(join(folder, 'seals'))).toEqual(['0000000001.json']);
  });

  test('of which the key is gone are not signed with another one', async () => {
    await files().sign('00');
    await files().keep(1, 'one');
    rmSync(join(folder, 'seal.key'));
    await expect(files().sign('00')).rejects.toMatchObject({ name: 'DestinationUnavailable' });
  });

  test('in a folder that cannot be used are an error by name', async () => {
    writeFileSync(join(folder, 'seals'), 'a file');
    await expect(files().last()).rejects.toMatchObject({ name: 'DestinationUnavailable' });
  });
});
