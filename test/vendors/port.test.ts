import { afterEach, describe, expect, it } from 'vitest';
import { Value } from '../../core/value.ts';
import { describeProvider } from '../contract/provider.ts';
import { beside, grace, native, revokeOnly } from './described.ts';
import { type Description, openVendor, type Vendor } from './engine.ts';
import { providerServed, specIds } from './provider-of.ts';

const described = [...beside, grace, revokeOnly];

/** Every shipped provider over real HTTP, against its vendor as the documentation describes it, with strangers first in every list. */
async function open(description: Description) {
  const vendor = openVendor(description);
  const { provider, close } = await providerServed(vendor);
  const subject = { keyId: 'team/key', account: 'default', params: description.params };
  return { vendor, provider, subject, close };
}

/** At the end of every test: nothing was asked that the vendor does not document, and no stranger was touched. */
function judge(vendor: Vendor, strangers: readonly string[]): void {
  expect(vendor.undocumented).toEqual([]);
  expect(strangers.filter((id) => vendor.touched.has(id))).toEqual([]);
}

for (const description of [...beside, ...native]) {
  describeProvider(`${description.provider}, with strangers first`, async () => {
    const { vendor, provider, subject, close } = await open(description);
    const strangers = description.alone
      ? []
      : [vendor.byHand().id, vendor.byHand('').id, vendor.byHand('rekey-team.other-rotate-abcdefghijklm-1-1').id];
    return {
      provider,
      subject,
      strangers,
      ...(description.limit === null
        ? {}
        : {
            fill(left: number) {
              while (provider.traits.maxLive - vendor.present().length > left) vendor.byHand();
            },
          }),
      saysFull: description.saysFull ?? false,
      strike(kind, on) {
        vendor.calm();
        vendor.strike(kind, 1, on && (description.creates ?? 'POST '));
      },
      async close() {
        judge(vendor, strangers);
        await close();
      },
    };
  });
}

describe('the shipped specs', () => {
  it('all have a vendor to be tested with, and no vendor is without its spec', () => {
    expect(described.map(({ provider }) => provider).sort()).toEqual([...specIds].sort());
  });

  it.each([...beside, grace].map((one) => [one.provider, one] as const))(
    '%s: an admin credential that is not accepted is refused, and says so',
    async (_name, description) => {
      const { vendor, provider, subject, close } = await open({ ...description, isAdmin: () => false });
      const { create, list } = provider;
      const value = provider.draw?.('0'.repeat(32));
      for (const work of [() => create(subject, 'a', { ...(value && { value }), oldUntil: '2030-01-01T00:00:00Z' }), () => list(subject)])
        await expect(work()).rejects.toMatchObject({ name: 'ProviderRefused', message: expect.stringContaining('admin credential') });
      expect(vendor.present()).toEqual([]);
      await close();
    },
  );
});

it.each(
  [...beside, ...native]
    .filter(({ provider }) =>
      ['datadog-api-key', 'datadog-application-key', 'cloudflare-account-token', 'github-deploy-key'].includes(provider),
    )
    .map((one) => [one.provider, one] as const),
)('%s numbers its pages: a list longer than three of them is read to its end', async (_name, description) => {
  const { vendor, provider, subject, close } = await open(description);
  while (vendor.present().length < 320) vendor.byHand();
  const listed = await provider.list(subject);
  expect(listed.map(({ credentialId }) => credentialId)).toEqual(vendor.present().map(({ id }) => id));
  judge(
    vendor,
    listed.map(({ credentialId }) => credentialId),
  );
  await close();
});

describe('403', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  });
  const start = async (provider: string) => {
    const description = described.find((one) => one.provider === provider);
    if (!description) throw new Error(`no vendor is described as ${provider}`);
    const one = await open(description);
    opened.push(one.close);
    return one;
  };

  it('means alive at SendGrid: the key works and may not ask', async () => {
    const { vendor, provider, subject } = await start('sendgrid');
    const weak = vendor.create('weak', { scopes: [] });
    expect(await provider.probe(subject, new Value(weak.value))).toEqual({ verdict: 'alive', detail: 'status 403' });
    vendor.remove(weak);
    expect((await provider.probe(subject, new Value(weak.value))).verdict).toBe('denied');
  });

  it('means dead at Datadog', async () => {
    const { vendor, provider, subject } = await start('datadog-api-key');
    const key = vendor.create('a');
    vendor.remove(key);
    expect(await provider.probe(subject, new Value(key.value))).toEqual({ verdict: 'denied', detail: 'status 403' });
  });
});

it('Cloudflare: disabling a token keeps all that it may do', async () => {
  const description = described.find((one) => one.provider === 'cloudflare-account-token') as Description;
  const { vendor, provider, subject, close } = await open(description);
  const { credentialId } = await provider.create(subject, 'a');
  const before = structuredClone(vendor.find(credentialId)?.more);
  await provider.disable(subject, credentialId);
  expect(vendor.find(credentialId)).toMatchObject({ enabled: false, more: before });
  await close();
});

describe('Okta, which has room for two: a secret that somebody made by hand stands first in the list', () => {
  const description = described.find((one) => one.provider === 'okta-client-secret') as Description;

  it('is not touched while ours comes, works, and goes', async () => {
    const { vendor, provider, subject, close } = await open(description);
    const theirs = vendor.byHand();
    const value = provider.draw?.('0'.repeat(32));
    const { credentialId } = await provider.create(subject, 'a', { ...(value && { value }) });
    expect((await provider.list(subject)).map((one) => one.credentialId)).toEqual([theirs.id, credentialId]);
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    await provider.delete(subject, credentialId);
    expect(vendor.present()).toEqual([expect.objectContaining({ id: theirs.id, enabled: true })]);
    judge(vendor, [theirs.id]);
    await close();
  });

  it('and two of them leave no room: ours is refused, and neither goes', async () => {
    const { vendor, provider, subject, close } = await open(description);
    const theirs = [vendor.byHand().id, vendor.byHand().id];
    const value = provider.draw?.('0'.repeat(32));
    await expect(provider.create(subject, 'a', { ...(value && { value }) })).rejects.toMatchObject({ name: 'NoFreeSlot' });
    judge(vendor, theirs);
    expect(vendor.present().map(({ id }) => id)).toEqual(theirs);
    await close();
  });

  it('goes only where its sheet says so: it is inactive, and the only active one leaked', async () => {
    const { vendor, provider, subject, close } = await open(description);
    const theirs = vendor.byHand();
    vendor.disable(theirs);
    const value = provider.draw?.('0'.repeat(32));
    const { credentialId } = await provider.create(subject, 'a', { ...(value && { value }) });
    expect(vendor.find(theirs.id)).toBeDefined();
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    expect(vendor.find(theirs.id)).toBeUndefined();
    expect(vendor.find(credentialId)).toMatchObject({ enabled: false });
    expect(vendor.undocumented).toEqual([]);
    await close();
  });
});
