import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readInstallation } from '../../infra/installation.ts';
import { startStageVendor } from './vendor.ts';

test('the vendor of a stage comes with an installation that is accepted as it stands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-stage-vendor-'));
  const { vendor, files, privateHosts } = await startStageVendor();
  for (const [path, text] of Object.entries({ ...files, 'settings.yaml': `privateHosts: ${JSON.stringify(privateHosts)}\n` })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const installation = readInstallation('t1', folder);
  expect(installation.specs.find(({ metadata }) => metadata.id === 'sandbox')?.base?.default).toBe(vendor.url);
  expect(vendor.url).toBe(`https://${installation.privateHosts[0]}`);
  expect(installation.authorities).toContain('BEGIN CERTIFICATE');
  await vendor.stop();
  rmSync(folder, { recursive: true });
});
