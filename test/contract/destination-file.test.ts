import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localFileDestination } from '../../adapters/destinations/local-file.ts';
import { DestinationRefused, DestinationUnavailable } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

describe('destination: a local file in particular', () => {
  let baseDir: string;
  let destination: Destination;
  const canary = 'CANARY-c2a810';
  const at = (place: string) => ({ id: 'd', kind: 'local-file', at: place, environment: 'test' });
  const write = (place: string, text = canary) => destination.write(at(place), new Value(text), randomUUID());

  beforeEach(async () => {
    baseDir = await mkdtemp(join(tmpdir(), 'rekey-file-'));
    destination = localFileDestination({ baseDir });
  });
  afterEach(() => rm(baseDir, { recursive: true }));

  it('writes the value and not a byte more, for its owner only, even over a file that was open to all', async () => {
    const path = join(baseDir, 'key');
    await writeFile(path, 'before');
    await chmod(path, 0o644);
    await write('key');
    expect((await readFile(path, 'utf8')) === canary).toBe(true);
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
    expect(await readdir(baseDir)).toEqual(['key']);
  });

  it('writes to an absolute path as it is', async () => {
    await write(join(baseDir, 'elsewhere', 'key'));
    expect(await readdir(join(baseDir, 'elsewhere'))).toEqual(['key']);
  });

  it('changes one field of a JSON file and keeps the others, of any kind', async () => {
    await writeFile(join(baseDir, 's.json'), '{"port": 80, "apiKey": "old", "nested": {"a": [1]}}');
    await write('s.json#apiKey', 'new');
    expect(JSON.parse(await readFile(join(baseDir, 's.json'), 'utf8'))).toEqual({ port: 80, apiKey: 'new', nested: { a: [1] } });
  });

  it('loses no field when several are written at once', async () => {
    const fields = Array.from({ length: 10 }, (_, i) => `field${i}`);
    await Promise.all(fields.map((field) => write(`s.json#${field}`, field)));
    expect(JSON.parse(await readFile(join(baseDir, 's.json'), 'utf8'))).toEqual(Object.fromEntries(fields.map((field) => [field, field])));
  });

  it('refuses a field of what is not a JSON object, leaves it alone, and does not quote it', async () => {
    for (const text of [`${canary} not json`, '["a"]', '"text"', 'null']) {
      await writeFile(join(baseDir, 'bad.json'), text);
      const refused = await write('bad.json#field').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(DestinationRefused);
      expect((refused as Error).message).toBe('the file of bad.json#field is not a JSON object');
      expect((await readFile(join(baseDir, 'bad.json'), 'utf8')) === text).toBe(true);
    }
  });

  it('refuses a place that is no place', async () => {
    await mkdir(join(baseDir, 'folder'));
    for (const place of ['', '#field', 'file#', 'file\0', 's.json#__proto__', 'folder']) {
      await expect(write(place)).rejects.toBeInstanceOf(DestinationRefused);
    }
    await writeFile(join(baseDir, 'file'), '');
    await expect(write('file/below')).rejects.toBeInstanceOf(DestinationRefused);
  });

  it('says that writing again is safe while another process keeps the file locked', async () => {
    await writeFile(join(baseDir, 'key.lock'), `${process.pid} somebody-else`);
    const impatient = localFileDestination({ baseDir, callSeconds: 0.05 });
    await expect(impatient.write(at('key'), new Value(canary), randomUUID())).rejects.toBeInstanceOf(DestinationUnavailable);
    expect(await destination.read(at('key'))).toBeUndefined();
  });
});
