import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apiGatewayProvider } from '../../adapters/providers/aws-api-gateway.ts';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { bundledSpecs, loadSpecs } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { looksLike, providersOfRule, type Scanner } from '../../core/leak-shapes.ts';

const installed = providers({
  specs: loadSpecs([bundledSpecs]),
  native: [
    iamProvider({ client: {} as never, sts: { region: 'eu-west-1' }, callSeconds: 1 }),
    apiGatewayProvider({ client: {} as never, region: 'eu-west-1', stage: 'test', callSeconds: 1 }),
  ],
  admin: () => Promise.reject(new TypeError('nothing is called')),
  callSeconds: 1,
});
// Every OpenSSH private key looks like a deploy key: there is nothing to recognise.
const all = installed
  .providers()
  .map((name) => installed.provider(name))
  .filter(({ name }) => name !== 'github-deploy-key');

/** Those whose values nobody can tell apart: the vendor gives both one shape. */
const twins = [['gitlab-project-token', 'gitlab-group-token']];
const twinsOf = (name: string) => twins.find((some) => some.includes(name)) ?? [name];

describe.each(all.map((one) => [one.name, one] as const))('%s', (name, provider) => {
  it('recognises its own values in any line, and no other vendor claims them', () => {
    for (let i = 0; i < 50; i++) {
      const value = provider.neverIssued(createHash('sha256').update(`${name} ${i}`).digest('hex').slice(0, 32)).reveal();
      for (const text of [value, `the key is ${value}.`, `KEY='${value}'`]) {
        const { surely, perhaps } = looksLike(text, all);
        expect(provider.traits.commonShape ? perhaps : surely).toContain(name);
        expect(surely.filter((other) => !twinsOf(name).includes(other))).toEqual([]);
      }
    }
  });

  it('is found by every name that a scanner has for it', () => {
    const { aliases } = provider.about;
    // No scanner has a rule for a vendor of ours, or for values that every caller chooses for himself.
    if (name !== 'sandbox' && name !== 'aws-api-gateway') expect(Object.keys(aliases)).not.toEqual([]);
    for (const [scanner, rules] of Object.entries(aliases))
      for (const rule of rules) expect(providersOfRule({ scanner: scanner as Scanner, name: rule }, all)).toContain(name);
  });
});

it('recognises GitHub’s refresh tokens, which are longer than its others', () => {
  const token = `ghr_${'1B4a'.repeat(19)}`;
  expect(looksLike(`REFRESH=${token}`, all).surely).toEqual(['github-token']);
  expect(looksLike(`REFRESH=${token}1`, all).surely).toEqual([]);
});
