import { describe, expect, it } from 'vitest';
import { NoFreeSlot, ProviderRefused } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';
import { changed, good, refusal } from '../support/good-spec.ts';
import { scripted } from '../support/scripted-spec.ts';

const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot' } };
const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);

describe('the pattern of a vendor', () => {
  it('grace tells the vendor until when the old key is to live', async () => {
    const grace = changed(
      ['pattern: additive', 'pattern: grace'],
      [
        "json: { name: '{{key.label}}', scopes: '{{params.scopes}}' }",
        "json: { name: '{{key.label}}' }\n          query: { expiry: '{{overlap.until|epochMs}}' }",
      ],
    );
    const vendor = scripted(grace);
    vendor.script = [{ status: 201, json: { id: 'k1', value: 'v' } }];
    await vendor.provider.create(subject, 'a', { oldUntil: '2027-01-01T00:00:00.000Z' });
    expect(vendor.sent[0]?.url.searchParams.get('expiry')).toBe('1798761600000');
    expect(refusal(grace.replace('{{overlap.until|epochMs}}', '{{now|epochMs}}')).problems).toMatchObject([{ path: 'lifecycle.pattern' }]);
    expect(refusal(good.replace("name: '{{key.label}}'", "name: '{{overlap.until}}'")).problems[0]?.message).toContain('does not exist');
  });

  it('revokeOnly ends a value, asks for no admin credential, and can do nothing else', async () => {
    const only = changed(
      ['pattern: additive', 'pattern: revokeOnly'],
      [/ {2}create:[\s\S]*?(?= {2}probe:)/, ''],
      [
        / {2}disable:[\s\S]*(?=errors:)/,
        "  disable: none\n  endByValue:\n    auth: none\n    steps:\n      - { id: end, request: { method: POST, url: '{{base}}/revoke', json: { credentials: ['{{key.secret}}'] } }, expect: { status: [202] } }\n",
      ],
      ['create, list, probe, disable, delete, lastUsed, limit', 'probe, endByValue'],
    );
    const vendor = scripted(only, {});
    vendor.script = [{ status: 202 }];
    await vendor.provider.endByValue?.(new Value('leaked'));
    expect(vendor.sent[0]).toMatchObject({ method: 'POST', body: '{"credentials":["leaked"]}' });
    expect(vendor.sent[0]?.headers['authorization']).toBeUndefined();
    expect(await thrownBy(vendor.provider.create(subject, 'a'))).toBeInstanceOf(ProviderRefused);
    expect(await thrownBy(vendor.provider.disable(subject, 'k'))).toBeInstanceOf(ProviderRefused);
    expect(await vendor.provider.list(subject)).toEqual([]);
    expect(refusal(only.replace('  disable: none\n', '  disable: delete\n')).problems.map(({ path }) => path)).toContain(
      'lifecycle.pattern',
    );
  });

  it.each([
    ['one place at a time is not additive', ['maxLive: 5', 'maxLive: 1'], 'lifecycle.maxLive'],
    ['a required expiry says what create asks for', ['expiry: none', 'expiry: required'], 'lifecycle.lives'],
    ['a stand-in needs steps', ['countsDisabled: false', 'countsDisabled: false\n  keepsOne: true'], undefined],
    ['a value is supplied from random bits', ['countsDisabled: false', "countsDisabled: false\n  supplied: 'fixed'"], 'lifecycle.supplied'],
    ['a whole domain needs its host in the admin credential', ['[api.vendor.example]', "['*.vendor.example']"], 'egress.0'],
    ['a fact needs its source', ['source: local/sandbox, ', ''], 'metadata.facts.0'],
    ['every operation needs a fact', ['create, list, probe', 'create, probe'], 'metadata.facts'],
    ['a pattern is of a whole value', ["'^sbx_[0-9a-f]{40}$'", "'^sbx_[0-9a-f]{40}'"], 'metadata.secretPattern'],
    [
      'a control is not a verdict',
      ['      - id: whoami\n', '      - id: whoami\n        control: true\n'],
      'operations.probe.steps.0.control',
    ],
  ] as const)('%s', (_what, [from, to], path) => {
    const yaml = changed([from, to]);
    if (path === undefined) expect(() => scripted(yaml)).not.toThrow();
    else expect(refusal(yaml).problems.map((problem) => problem.path)).toContain(path);
  });
});

it('an error reported under 200 is classified by the spec’s own rules', async () => {
  const graphql = changed(
    [
      "request:\n          method: POST\n          url: '{{base}}/v1/principals/{{params.principal|uri}}/keys'\n          json: { name: '{{key.label}}', scopes: '{{params.scopes}}' }\n        expect: { status: [201] }",
      "request:\n          method: POST\n          url: '{{base}}/graphql'\n          json: { query: 'mutation($name: String!) { create(name: $name) { id value } }', variables: { name: '{{key.label}}' } }\n        expect: { status: [200], absent: [/errors/0, /data/create/errors/0] }",
    ],
    ['pointer: /id }\n          value: { pointer: /value,', 'pointer: /data/create/id }\n          value: { pointer: /data/create/value,'],
    [
      'errors:\n',
      'errors:\n  - { when: { status: [200], in: { /errors/0/extensions/code: [LIMIT_REACHED] } }, class: quota }\n  - { when: { status: [200], present: [/errors/0] }, class: permanent }\n',
    ],
  );
  const vendor = scripted(graphql);
  vendor.script = [{ status: 200, json: { data: { create: { id: 'k1', value: 'v' } } } }];
  expect((await vendor.provider.create(subject, 'a')).credentialId).toBe('k1');
  vendor.script = [{ status: 200, json: { errors: [{ extensions: { code: 'LIMIT_REACHED' } }] } }];
  expect(await thrownBy(vendor.provider.create(subject, 'a'))).toBeInstanceOf(NoFreeSlot);
  vendor.script = [{ status: 200, json: { errors: [{ message: 'sbx_secret' }] } }];
  expect(await thrownBy(vendor.provider.create(subject, 'a'))).toMatchObject({
    name: 'ProviderRefused',
    message: expect.not.stringContaining('sbx'),
  });
});
