import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundledSpecs, loadSpec, loadSpecs } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { good } from '../support/good-spec.ts';

describe('a folder of specs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'specs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives every spec, leaving out those for a laptop where loopback is not allowed', () => {
    writeFileSync(join(folder, 'vendor.yaml'), good.replace('id: sandbox', 'id: vendor'));
    const ids = (options = {}) => loadSpecs([bundledSpecs, folder], options).map(({ metadata }) => metadata.id);
    expect(ids()).not.toContain('sandbox');
    expect(ids({ allowLoopback: true })).toEqual(expect.arrayContaining(['sandbox', 'vendor']));
  });

  it('reports the problems of all files together', () => {
    writeFileSync(join(folder, 'a.yaml'), good.replace('maxLive: 5', 'maxLive: 0'));
    writeFileSync(join(folder, 'b.yml'), good.replace('kind: Provider', 'kind: Thing'));
    expect(() => loadSpecs([folder])).toThrow(
      expect.objectContaining({
        problems: [expect.objectContaining({ path: 'a.yaml:lifecycle.maxLive' }), expect.objectContaining({ path: 'b.yml:kind' })],
      }),
    );
  });

  it('refuses two specs with one id, and a folder that is not there', () => {
    writeFileSync(join(folder, 'a.yaml'), good);
    writeFileSync(join(folder, 'b.yaml'), good);
    expect(() => loadSpecs([folder])).toThrow(expect.objectContaining({ code: 'E_EXISTS' }));
    expect(() => loadSpecs([join(folder, 'nowhere')])).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });

  it('names the nearest providers when one is not installed', () => {
    const { provider: find } = providers({ specs: [loadSpec(good, 'vendor.yaml')], native: [], admin: async () => ({}), callSeconds: 1 });
    expect(() => find('sandbix')).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND', message: expect.stringContaining('sandbox') }));
  });
});
