import { describe, expect, it } from 'vitest';
import type { Outgoing } from '../../adapters/providers/egress.ts';
import { githubDeployKeyProvider } from '../../adapters/providers/github-deploy-key.ts';
import { publicLineOf } from '../../adapters/providers/openssh-key.ts';
import { Value } from '../../core/value.ts';
import { type Description, openVendor } from './engine.ts';
import { githubDeployKey } from './fakes/github-deploy-key.ts';
import { sendTo } from './serve.ts';

/** What only deploy keys do: GitHub never sees the value, and says 404 to whoever may not look. */
function open(description: Description) {
  const vendor = openVendor(description);
  const sent: Outgoing[] = [];
  const provider = githubDeployKeyProvider({
    admin: async () => Object.fromEntries(Object.entries(description.admin).map(([name, text]) => [name, new Value(text)])),
    callSeconds: 5,
    send(outgoing) {
      sent.push(outgoing);
      return sendTo(vendor)(outgoing);
    },
  });
  const create = (label: string) => {
    const value = provider.draw?.(label) as Value;
    return provider.create(subject, label, { value });
  };
  return { vendor, provider, sent, create };
}

const subject = { keyId: 'team/key', account: 'default', params: githubDeployKey.params };

describe('GitHub deploy keys', () => {
  it('GitHub gets the public half only, in whatever is asked', async () => {
    const { provider, sent, create } = open(githubDeployKey);
    const { credentialId, value } = await create('a');
    await provider.probe(subject, value);
    await provider.find?.(subject, value);
    await provider.disable(subject, credentialId);
    const told = sent.map(({ url, headers, body }) => `${url.href} ${JSON.stringify(headers)} ${body ?? ''}`).join('\n');
    expect(told).toContain(publicLineOf(value.reveal()));
    for (const form of provider.leakForms?.(value) ?? []) expect(told.includes(form.reveal())).toBe(false);
  });

  it('404 to a deletion is not taken for gone while the list still has the key', async () => {
    const blind = githubDeployKey.routes.map((route) =>
      route.call.startsWith('DELETE') ? { ...route, answer: () => ({ status: 404, json: { message: 'Not Found' } }) } : route,
    );
    const { provider, create } = open({ ...githubDeployKey, routes: blind });
    const { credentialId, value } = await create('a');
    await expect(provider.disable(subject, credentialId)).rejects.toMatchObject({ name: 'ProviderRefused' });
    expect((await provider.probe(subject, value)).verdict).toBe('alive');
  });

  it('a repository that the admin credential may not see proves nothing: neither dead nor gone', async () => {
    const hidden = githubDeployKey.routes.map((route) => ({ ...route, answer: () => ({ status: 404, json: { message: 'Not Found' } }) }));
    const { provider } = open({ ...githubDeployKey, routes: hidden });
    expect(await provider.probe(subject, provider.neverIssued('a'))).toMatchObject({ verdict: 'inconclusive' });
    await expect(provider.disable(subject, '1')).rejects.toMatchObject({ name: 'ProviderRefused' });
    await expect(provider.list(subject)).rejects.toMatchObject({ name: 'ProviderRefused' });
  });

  it.each([{ owner: '../evil', repo: 'x' }, { owner: 'octo-org', repo: '..' }, { owner: 'octo-org', repo: 'a/b' }, { owner: 'octo-org' }])(
    'sends nothing for parameters that are none of GitHub’s: %j',
    async (params) => {
      const { provider, sent } = open(githubDeployKey);
      await expect(provider.list({ ...subject, params })).rejects.toMatchObject({ name: 'ProviderRefused' });
      expect(sent).toEqual([]);
    },
  );
});
