import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSpecs } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { type Ran, rekey } from '../support/local-installation.ts';

const guide = readFileSync(join(import.meta.dirname, '../../docs/provider-guide.md'), 'utf8');
const lesson = /^## 2\..*?(?=^## 3\.)/ms.exec(guide)?.[0] ?? '';

let folder: string;
let vendor: Vendor;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'own-specs-'));
  vendor = await startVendor();
});
afterEach(async () => {
  await vendor.stop();
  rmSync(folder, { recursive: true });
});

/** Every block of the lesson in its order: commands are run, changes are applied. */
async function follow(): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const [, kind, text = ''] of lesson.matchAll(/^```(bash|diff)\n(.*?)^```$/gms)) {
    if (kind === 'bash')
      for (const line of text.trim().split('\n')) {
        const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
        expect(words.slice(0, 2)).toEqual(['npx', 'rekey']);
        ran.push(await rekey(words.slice(2), { cwd: folder }));
      }
    else {
      // The day on which the guide was written stands in its changes, and today in the new file.
      const file = join(folder, 'acme.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(new Date().toISOString().slice(0, 10), '2026-11-28'));
      execFileSync('git', ['apply', '--unidiff-zero', '-'], { cwd: folder, input: text });
    }
  }
  return ran;
}

it('is followed literally, from an empty folder to a spec that passes', async () => {
  const [begun, linted, tested, ...more] = await follow();
  expect(more).toEqual([]);
  expect(begun).toMatchObject({ code: 0, stdout: expect.stringContaining('acme.yaml') });
  expect(linted).toMatchObject({ code: 0, stdout: expect.stringContaining('acme.yaml: may be used') });
  expect(linted?.stdout).not.toContain('still to be edited');
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining('8 of 8 fixtures') });
  expect(tested?.stdout).not.toContain('no fixture shows');

  // The vendor of the guide does not exist: the sandbox plays its part, over real HTTP.
  const find = providers({
    specs: loadSpecs([folder]),
    native: [],
    admin: async () => ({ apiKey: vendor.adminKey }),
    callSeconds: 2,
    allowLoopback: true,
    overrides: { acme: { origins: { 'https://api.acme.example': vendor.url } } },
  }).provider;
  const acme = find('acme');
  const subject = { keyId: 'team/mail', account: 'default', params: { owner: 'mailer', scopes: ['send'] } };
  const verdict = async (value: Parameters<typeof acme.probe>[1]) => (await acme.probe(subject, value)).verdict;
  const old = await acme.create(subject, 'rekey-1');
  const next = await acme.create(subject, 'rekey-2');
  expect([await verdict(old.value), await verdict(next.value)]).toEqual(['alive', 'alive']);
  expect(await acme.disable(subject, old.credentialId)).toBe('disabled');
  expect([await verdict(old.value), await verdict(next.value)]).toEqual(['denied', 'alive']);
  expect(await acme.delete(subject, old.credentialId)).toBe('deleted');
});

it('shows a provider that was put where the guide says', async () => {
  await follow();
  mkdirSync(join(folder, '.rekey', 'providers'), { recursive: true });
  renameSync(join(folder, 'acme.yaml'), join(folder, '.rekey', 'providers', 'acme.yaml'));
  const shown = await rekey(['provider', 'show', 'acme'], { cwd: folder });
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('acme: Acme Mail keys (additive; documented, 2026-11-28)') });
});
