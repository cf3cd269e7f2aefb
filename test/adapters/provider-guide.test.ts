import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSpecs } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';

const guide = readFileSync(join(import.meta.dirname, '../../docs/provider-guide.md'), 'utf8');

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

it('adds a vendor by one YAML file and no code, as the guide shows it', async () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  writeFileSync(join(folder, 'acme.yaml'), yaml);
  const specs = loadSpecs([folder]);
  const { provider: find } = providers({
    specs,
    native: [],
    admin: async () => ({ apiKey: vendor.adminKey }),
    callSeconds: 2,
    allowLoopback: true,
    // The vendor of the guide does not exist: its part is played on this machine.
    overrides: { acme: { origins: { 'https://api.acme.example': vendor.url } } },
  });
  const acme = find('acme');
  const subject = { keyId: 'team/mail', account: 'default', params: { owner: 'mailer', scopes: ['send'] } };
  const verdict = async (value: Parameters<typeof acme.probe>[1]) => (await acme.probe(subject, value)).verdict;

  const old = await acme.create(subject, 'rekey-1');
  const next = await acme.create(subject, 'rekey-2');
  expect([await verdict(old.value), await verdict(next.value)]).toEqual(['alive', 'alive']);
  expect((await acme.list(subject)).map(({ label, enabled }) => [label, enabled])).toEqual([
    ['rekey-1', true],
    ['rekey-2', true],
  ]);
  expect(await acme.disable(subject, old.credentialId)).toBe('disabled');
  expect([await verdict(old.value), await verdict(next.value)]).toEqual(['denied', 'alive']);
  expect(await verdict(acme.neverIssued('5'.repeat(32)))).toBe('denied');
  expect(await acme.delete(subject, old.credentialId)).toBe('deleted');

  const refused = vendor.log().filter((line) => line.credentialId === old.credentialId && line.outcome === 'refused');
  expect(refused).toHaveLength(1);
});
