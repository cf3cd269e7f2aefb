import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpProvider } from '../../adapters/providers/http.ts';
import { bundledSpecs, loadSpec } from '../../adapters/providers/load-spec.ts';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import type { FaultKind } from '../../local/sandbox/behaviour.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { describeProvider } from './provider.ts';

const yaml = readFileSync(join(bundledSpecs, 'sandbox.yaml'), 'utf8');
const spec = loadSpec(yaml, 'sandbox.yaml', { allowLoopback: true });
/** The same vendor, described as one that is asked with an idempotency key, and as one that only deletes. */
const idempotent = loadSpec(
  yaml.replace('  create:\n    auth: admin', '  create:\n    auth: admin\n    idempotencyKey: Idempotency-Key'),
  'idempotent.yaml',
  {
    allowLoopback: true,
  },
);
const onlyDeletes = loadSpec(yaml.replace(/ {2}disable:[\s\S]*?(?= {2}delete:)/, '  disable: delete\n'), 'only-deletes.yaml', {
  allowLoopback: true,
});
const rotateOnly = loadSpec(yaml.replace(/ {2}disable:[\s\S]*?(?= {2}lastUsed:)/, '  disable: none\n'), 'rotate-only.yaml', {
  allowLoopback: true,
});

const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot', scopes: ['read'] } };
const providerOf = (vendor: Vendor, of = spec, callSeconds = 2): Provider =>
  httpProvider({
    spec: of,
    admin: async () => ({ apiKey: vendor.adminKey }),
    callSeconds,
    allowLoopback: true,
    origins: { [spec.base?.default ?? '']: vendor.url },
  });

const strikes = { 'server-error': 'error-before', 'lost-answer': 'lost-response', refused: 'permanent', 'slow-down': 'throttled' } as const;

for (const [name, of] of [
  ['the sandbox spec', spec],
  ['a spec whose vendor only deletes', onlyDeletes],
  ['a spec with an idempotency key', idempotent],
] as const) {
  describeProvider(name, async () => {
    const vendor = await startVendor({ knobs: { pageSize: 2, lastUsedMs: 1 } });
    return {
      provider: providerOf(vendor, of),
      subject,
      fill(left) {
        for (let n = of.lifecycle.maxLive; n > left; n--) vendor.stranger('robot');
      },
      saysFull: true,
      strike: (kind) => {
        vendor.clearFaults();
        vendor.fault({ kind: strikes[kind], count: 1 });
      },
      close: () => vendor.stop(),
    };
  });
}

describe('the HTTP provider', () => {
  let vendor: Vendor;
  let provider: Provider;
  beforeEach(async () => {
    vendor = await startVendor();
    provider = providerOf(vendor);
  });
  afterEach(async () => await vendor.stop());

  const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);

  it('reads its traits from the spec', () => {
    expect(provider.traits).toEqual({
      pattern: 'additive',
      class: 'C',
      maxLive: 5,
      countsDisabled: false,
      disable: 'disable',
      labelled: true,
      shared: false,
      keepsOne: false,
      lifetimeSeconds: null,
      activateSeconds: 10,
      revokeSeconds: 10,
      probe: { alive: 2, denied: 2, everySeconds: 1 },
      secretPattern: '^sbx_[0-9a-f]{40}$',
      commonShape: false,
      lastUsedAccuracySeconds: 1,
      callsPerSecond: 50,
    });
    expect([providerOf(vendor, idempotent).traits.class, providerOf(vendor, onlyDeletes).traits.disable]).toEqual(['B', 'delete']);
  });

  it('takes its propagation budgets and probe pace from the composition root where that says so', () => {
    const durations = { activateSeconds: 0.5, revokeSeconds: 0.25, everySeconds: 0.1 };
    const { traits } = httpProvider({ spec, admin: async () => ({}), callSeconds: 1, durations });
    expect([traits.activateSeconds, traits.revokeSeconds, traits.probe.everySeconds]).toEqual([0.5, 0.25, 0.1]);
  });

  it.each([
    ['timeout-after-success', ProviderUnavailable, 1],
    ['lost-response', ProviderUnavailable, 1],
    ['error-after', ProviderUnavailable, 1],
    ['malformed', ProviderUnavailable, 1],
    ['truncated', ProviderUnavailable, 1],
    ['oversized', ProviderUnavailable, 1],
    ['slow', ProviderUnavailable, undefined],
    ['error-before', ProviderUnavailable, 0],
    ['unavailable', ProviderUnavailable, 0],
    ['throttled', ProviderUnavailable, 0],
    ['reset', ProviderUnavailable, 0],
    ['permanent', ProviderRefused, 0],
    ['redirect', ProviderRefused, 0],
  ] as [FaultKind, typeof ProviderUnavailable | typeof ProviderRefused, number | undefined][])(
    'names the failure of a create that meets %s, and leaves what the vendor made to be listed',
    async (kind, error, made) => {
      vendor.fault({ kind, on: 'create', count: 1 });
      expect(await thrownBy(providerOf(vendor, spec, 0.5).create(subject, 'a'))).toBeInstanceOf(error);
      if (made !== undefined) expect(await provider.list(subject)).toHaveLength(made);
    },
  );

  it.each(['malformed', 'truncated', 'oversized', 'reset', 'error-before', 'throttled', 'redirect', 'slow', 'wrong-identity'] as const)(
    'calls a probe that meets %s inconclusive: neither alive nor dead',
    async (kind) => {
      const { value } = await provider.create(subject, 'a');
      vendor.fault({ kind, on: 'whoami' });
      expect((await providerOf(vendor, spec, 0.5).probe(subject, value)).verdict).toBe('inconclusive');
    },
  );

  it('is not told alive by a vendor that accepts everything under no identity of ours', async () => {
    vendor.fault({ kind: 'accepts-everything', on: 'whoami' });
    expect((await provider.probe(subject, provider.neverIssued('0'.repeat(32)))).verdict).not.toBe('alive');
  });

  it('sees that a key stays alive when the vendor says OK and does nothing', async () => {
    const { credentialId, value } = await provider.create(subject, 'a');
    vendor.fault({ kind: 'disable-ignored' });
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    expect((await provider.probe(subject, value)).verdict).toBe('alive');
  });

  it('says how long the vendor wants to be left alone', async () => {
    vendor.fault({ kind: 'throttled', retryAfterSeconds: 17, count: 1 });
    expect(await thrownBy(provider.list(subject))).toMatchObject({ name: 'ProviderUnavailable', retryAfterSeconds: 17 });
  });

  it('asks a class B vendor again with the same label and gets the same credential', async () => {
    const again = providerOf(vendor, idempotent);
    vendor.fault({ kind: 'lost-response', count: 1 });
    expect(await thrownBy(again.create(subject, 'once'))).toBeInstanceOf(ProviderUnavailable);
    const { credentialId } = await again.create(subject, 'once');
    expect((await again.list(subject)).map((entry) => entry.credentialId)).toEqual([credentialId]);
  });

  it('says loudly that a rotate-only provider cannot revoke', async () => {
    const weak = providerOf(vendor, rotateOnly);
    expect(weak.traits.disable).toBe('none');
    const { credentialId } = await weak.create(subject, 'a');
    expect(await thrownBy(weak.disable(subject, credentialId))).toMatchObject({
      name: 'ProviderRefused',
      message: expect.stringContaining('rotate-only'),
    });
  });

  it('refuses a wrong admin credential as refused, not as a full vendor', async () => {
    const locked = httpProvider({
      spec,
      admin: async () => ({ apiKey: new Value('wrong') }),
      callSeconds: 2,
      allowLoopback: true,
      origins: { [spec.base?.default ?? '']: vendor.url },
    });
    expect(await thrownBy(locked.create(subject, 'a'))).toMatchObject({
      name: 'ProviderRefused',
      message: expect.stringContaining('admin credential'),
    });
    const empty = httpProvider({
      spec,
      admin: async () => ({}),
      callSeconds: 2,
      allowLoopback: true,
      origins: { [spec.base?.default ?? '']: vendor.url },
    });
    expect(await thrownBy(empty.list(subject))).toBeInstanceOf(ProviderRefused);
  });

  it.each([
    ['a missing parameter', {}],
    ['an unknown parameter', { principal: 'robot', nope: 1 }],
    ['a parameter of the wrong type', { principal: 7 }],
    ['an empty id, which would name the whole collection', { principal: '' }],
    ['an id of dots, which would climb', { principal: '..' }],
  ])('sends nothing for %s', async (_what, params) => {
    expect(await thrownBy(provider.list({ ...subject, params }))).toBeInstanceOf(ProviderRefused);
    expect(vendor.log()).toEqual([]);
  });

  it('keeps ids and labels that look like code or paths inside their place', async () => {
    const odd = { ...subject, params: { principal: 'a/../b?x=1#{{admin.apiKey}}$[7*7]', scopes: ['{{constructor}}'] } };
    const { credentialId } = await provider.create(odd, '"},{"name":"x');
    expect(await provider.list(odd)).toMatchObject([{ credentialId, label: '"},{"name":"x' }]);
    expect(await provider.list(subject)).toEqual([]);
  });

  it('sends the value in the Authorization header only, and the vendor saw it refused after the disable', async () => {
    const { credentialId, value } = await provider.create(subject, 'a');
    await provider.probe(subject, value);
    await provider.disable(subject, credentialId);
    await provider.probe(subject, value);
    const seen = vendor.log().filter((line) => line.credentialId === credentialId);
    expect(seen.map(({ path, outcome }) => [path, outcome])).toEqual([
      ['/v1/whoami', 'accepted'],
      ['/v1/whoami', 'refused'],
    ]);
    expect(JSON.stringify(vendor.log()).includes(value.reveal())).toBe(false);
  });
});
