import { describe, expect, it } from 'vitest';
import { digestOf } from '../../adapters/providers/digest.ts';
import { ProviderRefused } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';
import { changed, refusal } from '../support/good-spec.ts';
import { lines, scripted } from '../support/scripted-spec.ts';

/** The forms a spec can take beyond the plain one, each against a vendor that answers from a script. */
const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot' } };
const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);

const steps = (operation: string) => new RegExp(`(?<= {2}${operation}:\\n {4}auth: \\w+\\n {4}steps:\\n)( {6}.*\\n)+`);
const key = (id: number, more = {}) => ({ id: `k${id}`, name: `n${id}`, enabled: true, createdAt: '2026-01-01T00:00:00Z', ...more });
const page = (of: string) => [/page: .*/, `page: ${of}`] as const;
const host = 'https://api.vendor.example';

describe('a list', () => {
  it('is read by the number of its pages until one is not full', async () => {
    const vendor = scripted(changed(page("{ number: { param: 'page[number]', first: 0, size: 2 } }")));
    vendor.script = [
      { status: 200, json: { keys: [key(1), key(2)] } },
      { status: 200, json: { keys: [key(3)] } },
    ];
    expect((await vendor.provider.list(subject)).map(({ credentialId }) => credentialId)).toEqual(['k1', 'k2', 'k3']);
    expect(vendor.sent[1]?.url.searchParams.get('page[number]')).toBe('1');
  });

  it('follows the Link header on its own host, and refuses another', async () => {
    const vendor = scripted(changed(page('{ link: { rel: next } }')));
    const link = (url: string) => ({ link: `<${host}/first>; rel="first", <${url}>; rel="next"` });
    vendor.script = [
      { status: 200, json: { keys: [key(1)] }, headers: link(`${host}/v1/more?page=2`) },
      { status: 200, json: { keys: [key(2)] }, headers: { link: `<${host}/first>; rel="prev"` } },
    ];
    expect(await vendor.provider.list(subject)).toHaveLength(2);
    expect(lines(vendor.sent)[1]).toBe(`GET ${host}/v1/more?page=2`);
    vendor.script = [{ status: 200, json: { keys: [key(1)] }, headers: link('https://evil.example/keys') }];
    expect(await thrownBy(vendor.provider.list(subject))).toBeInstanceOf(ProviderRefused);
  });

  it('has no further page when the vendor says so, whatever its cursor is', async () => {
    const vendor = scripted(changed(page('{ cursor: { param: after, pointer: /last, while: /more } }')));
    vendor.script = [
      { status: 200, json: { keys: [key(1)], last: 'k1', more: true } },
      { status: 200, json: { keys: [key(2)], last: 'k2', more: false } },
    ];
    expect(await vendor.provider.list(subject)).toHaveLength(2);
    expect(vendor.sent).toHaveLength(2);
  });

  it('holds only the entries of the key’s own principal', async () => {
    const vendor = scripted(
      changed(['    items: /keys\n', "    items: /keys\n    where: { /owner/id: '{{params.principal}}', /kind: service }\n"]),
    );
    const entries = [key(1, { owner: { id: 'robot' }, kind: 'service' }), key(2, { owner: { id: 'person' }, kind: 'service' }), key(3)];
    vendor.script = [{ status: 200, json: { keys: entries } }];
    expect((await vendor.provider.list(subject)).map(({ credentialId }) => credentialId)).toEqual(['k1']);
  });

  it('names a value that is its own id by its digest, and gives no value away', async () => {
    const vendor = scripted(
      changed(
        ['credentialId: /id\n', 'credentialId: { pointer: /token, digest: true }\n'],
        ['    items: /keys', "    items: ''"],
        page('none'),
      ),
    );
    vendor.script = [{ status: 200, json: key(1, { token: 'sbx_secret' }) }];
    const list = await vendor.provider.list(subject);
    expect(list.map(({ credentialId }) => credentialId)).toEqual([digestOf('sbx_secret')]);
    expect(JSON.stringify(list)).not.toContain('sbx_secret');
  });
});

describe('a step', () => {
  const standIn = `      - id: off
        request: { method: POST, url: '{{base}}/keys/{{key.credentialId|uri}}/off' }
        expect: { status: [200, 400], treatAsDone: [404] }
      - id: standIn
        onlyIf: { step: off, answer: { status: [400], bodyContains: only active } }
        request: { method: POST, url: '{{base}}/keys', json: { enabled: true } }
        expect: { status: [201] }
      - id: again
        onlyIf: { step: off, answer: { status: [400] } }
        request: { method: POST, url: '{{base}}/keys/{{key.credentialId|uri}}/off' }
        expect: { status: [200] }
`;

  it('is made only where an earlier answer asks for it', async () => {
    const vendor = scripted(changed([steps('disable'), standIn]));
    vendor.script = [{ status: 200 }];
    expect(await vendor.provider.disable(subject, 'k')).toBe('disabled');
    expect(vendor.sent).toHaveLength(1);
    vendor.script = [{ status: 400, json: { why: 'the only active one' } }, { status: 201 }, { status: 200 }];
    expect(await vendor.provider.disable(subject, 'k')).toBe('disabled');
    expect(lines(vendor.sent).slice(1)).toEqual([`POST ${host}/keys/k/off`, `POST ${host}/keys`, `POST ${host}/keys/k/off`]);
    vendor.script = [
      { status: 400, json: { why: 'something else' } },
      { status: 400, json: {} },
    ];
    expect(await thrownBy(vendor.provider.disable(subject, 'k'))).toBeInstanceOf(ProviderRefused);
  });

  it('is made only where two texts are the same, and nothing to do is "gone"', async () => {
    const reset = `      - id: read
        request: { method: GET, url: '{{base}}/env' }
        expect: { status: [200] }
        outputs: { id: { pointer: /token, digest: true } }
      - id: reset
        onlyIf: { same: ['{{read.id}}', '{{key.credentialId}}'] }
        request: { method: POST, url: '{{base}}/env/token' }
        expect: { status: [200] }
`;
    const vendor = scripted(changed([steps('disable'), reset]));
    vendor.script = [{ status: 200, json: { token: 'now' } }];
    expect(await vendor.provider.disable(subject, digestOf('before'))).toBe('gone');
    expect(vendor.sent).toHaveLength(1);
    vendor.script = [{ status: 200, json: { token: 'now' } }, { status: 200 }];
    await vendor.provider.disable(subject, digestOf('now'));
    expect(lines(vendor.sent).at(-1)).toBe(`POST ${host}/env/token`);
  });

  it('that is a control leaves the probe inconclusive, whatever it was answered', async () => {
    const control = `      - id: sane
        auth: none
        control: true
        request: { method: GET, url: '{{base}}/v1/validate', headers: { X-Api-Key: '{{admin.apiKey}}' } }
        expect: { status: [200] }
      - id: whoami
        request: { method: GET, url: '{{base}}/v1/whoami', headers: { X-Api-Key: '{{admin.apiKey}}' } }
`;
    const vendor = scripted(
      changed(
        ['  probe:\n    auth: subject\n', '  probe:\n    auth: subject\n    uses: [apiKey]\n'],
        [/(?<=uses: \[apiKey\]\n {4}steps:\n)( {6}.*\n)+/, control],
      ),
    );
    const denied = { status: 401, json: { vendor: 'rekey-sandbox', error: { code: 'invalid_key' } } };
    vendor.script = [denied];
    expect(await vendor.provider.probe(subject, new Value('v'))).toMatchObject({ verdict: 'inconclusive' });
    vendor.script = [{ status: 200 }, denied];
    expect(await vendor.provider.probe(subject, new Value('v'))).toMatchObject({ verdict: 'denied' });
    expect(vendor.sent.at(-1)?.headers['x-api-key']).toBe('admin-secret');
  });
});

describe('a value', () => {
  const composed = changed(
    [
      '  countsDisabled: false\n',
      "  countsDisabled: false\n  value: { parts: [sid, secret], by: ':', credentialId: sid, leaks: [secret] }\n",
    ],
    ["value: '{{create.value}}'", "value: '{{create.id}}:{{create.value}}'"],
    [
      "subject: { scheme: bearer, token: '{{key.secret}}' }",
      "subject: { scheme: basic, username: '{{value.sid}}', password: '{{value.secret}}' }",
    ],
    [/ {2}secretPattern: .*\n/, ''],
    ['limit, propagation, shape', 'limit, propagation'],
    ["fake: 'sbx_{{random|hex:40}}'", "fake: 'SK{{random|hex:8}}:{{random|alnum:8}}'"],
  );

  it('of several parts is taken apart for the probe, and leaks by its secret part alone', async () => {
    const vendor = scripted(composed);
    vendor.script = [{ status: 201, json: { id: 'SK1', value: 'word' } }, { status: 401 }];
    const { value } = await vendor.provider.create(subject, 'a');
    expect(value.equals(new Value('SK1:word'))).toBe(true);
    await vendor.provider.probe(subject, value);
    expect(vendor.sent[1]?.headers['authorization']).toBe(`Basic ${Buffer.from('SK1:word').toString('base64')}`);
    expect(vendor.provider.credentialIdOf?.(value)).toBe('SK1');
    expect(vendor.provider.leakForms?.(value).map((form) => form.reveal())).toEqual(['SK1:word', 'word']);
    expect((await vendor.provider.probe(subject, new Value('no parts'))).verdict).toBe('inconclusive');
  });

  const supplied = changed(
    ['  countsDisabled: false\n', "  countsDisabled: false\n  supplied: 'sbx_{{random|hex:40}}'\n"],
    ["json: { name: '{{key.label}}', scopes: '{{params.scopes}}' }", "json: { name: '{{key.label}}', value: '{{key.secret}}' }"],
    ['          value: { pointer: /value, sensitive: true }\n', ''],
    ["    value: '{{create.value}}'\n", ''],
    ['      label: /name\n', '      label: /name\n      value: /value\n'],
    [/page: .*/, 'page: none'],
  );

  it('that Rekey supplies is created once: asked again, the same credential is found by it', async () => {
    const vendor = scripted(supplied);
    const { provider } = vendor;
    expect(provider.traits.class).toBe('A');
    const value = provider.draw?.('00112233445566778899aabbccddeeff') as Value;
    expect(value.equals(provider.draw?.('00112233445566778899aabbccddeeff') as Value)).toBe(true);
    const stranger = key(7, { value: `sbx_${'1'.repeat(40)}` });
    vendor.script = [
      { status: 200, json: { keys: [stranger] } },
      { status: 201, json: { id: 'k1' } },
    ];
    expect((await provider.create(subject, 'a', { value })).credentialId).toBe('k1');
    expect(JSON.parse(vendor.sent[1]?.body ?? '')).toEqual({ name: 'a', value: value.reveal() });
    vendor.script = [{ status: 200, json: { keys: [stranger, key(1, { value: value.reveal() })] } }];
    expect((await provider.create(subject, 'a', { value })).credentialId).toBe('k1');
    vendor.script = [{ status: 200, json: { keys: [stranger] } }];
    expect(await provider.find?.(subject, value)).toBeUndefined();
    vendor.script = [{ status: 200, json: { keys: [stranger] } }];
    expect(JSON.stringify(await provider.list(subject))).not.toContain('1111');
    expect(await thrownBy(provider.create(subject, 'a'))).toBeInstanceOf(ProviderRefused);
  });
});

describe('the sign-in of an admin', () => {
  const oauth = changed(
    [
      "admin: { scheme: bearer, token: '{{admin.apiKey}}' }",
      "admin: { scheme: oauth2ClientCredentials, tokenUrl: 'https://login.vendor.example/{{params.principal|uri}}/token', clientId: rekey, clientSecret: '{{admin.apiKey}}', scope: all }",
    ],
    ['egress: [api.vendor.example]', 'egress: [api.vendor.example, login.vendor.example]'],
  );

  it('by OAuth 2 client credentials is made before the request, in its body, and kept nowhere', async () => {
    const vendor = scripted(oauth);
    const token = { status: 200, json: { access_token: 'short-lived', token_type: 'Bearer' } };
    vendor.script = [token, { status: 204 }, token, { status: 204 }];
    await vendor.provider.delete(subject, 'k');
    await vendor.provider.delete(subject, 'k');
    expect(lines(vendor.sent)[0]).toBe('POST https://login.vendor.example/robot/token');
    expect(vendor.sent[0]?.body).toBe('grant_type=client_credentials&client_id=rekey&client_secret=admin-secret&scope=all');
    expect(vendor.sent[1]?.headers['authorization']).toBe('Bearer short-lived');
    expect(vendor.sent).toHaveLength(4);
  });

  it('that is refused is refused, and one that is not answered is unavailable, without a word of the answer', async () => {
    const vendor = scripted(oauth);
    vendor.script = [{ status: 401, json: { error: 'invalid_client', error_description: 'admin-secret is wrong' } }];
    const refused = await thrownBy(vendor.provider.delete(subject, 'k'));
    expect(refused).toMatchObject({ name: 'ProviderRefused', message: expect.not.stringContaining('admin-secret') });
    for (const answer of [{ status: 503 }, { status: 200, json: {} }]) {
      vendor.script = [answer];
      expect(await thrownBy(vendor.provider.delete(subject, 'k'))).toMatchObject({ name: 'ProviderUnavailable' });
    }
  });

  it('is refused to another host than the spec lists', () => {
    expect(refusal(oauth.replace('login.vendor.example/{{', 'login.evil.example/{{')).problems).toMatchObject([
      { path: 'auth.admin.tokenUrl' },
    ]);
    expect(
      refusal(oauth.replace('https://login.vendor.example/{{params.principal|uri}}', 'https://{{params.principal}}')).problems,
    ).toMatchObject([{ path: 'auth.admin.tokenUrl' }]);
  });
});

describe('a vendor with a host for each customer', () => {
  const own = changed(
    ['egress: [api.vendor.example]', "egress: ['*.vendor.example']"],
    [
      "base: { default: 'https://api.vendor.example', override: params.baseUrl }",
      'base: { override: params.baseUrl, bound: admin.baseUrl }',
    ],
    ['    required: [principal]', '    required: [principal, baseUrl]'],
    ['      apiKey: { type: string }', '      apiKey: { type: string }\n      baseUrl: { type: string }'],
  );
  const mine = { ...subject, params: { principal: 'robot', baseUrl: 'https://acme.vendor.example' } };

  it('sends the admin credential only where the credential itself says, whatever a key’s file says', async () => {
    const vendor = scripted(own, { apiKey: 'admin-secret', baseUrl: 'https://acme.vendor.example' });
    vendor.script = [{ status: 200, json: { keys: [], next: null } }];
    expect(await vendor.provider.list(mine)).toEqual([]);
    const elsewhere = { ...mine, params: { ...mine.params, baseUrl: 'https://evil.vendor.example' } };
    expect(await thrownBy(vendor.provider.list(elsewhere))).toMatchObject({
      name: 'ProviderRefused',
      message: expect.stringContaining('another origin'),
    });
    expect(vendor.sent).toHaveLength(1);
  });

  it('is refused as a spec unless the admin credential names the host', () => {
    expect(refusal(own.replace(', bound: admin.baseUrl', '')).problems.map(({ path }) => path)).toContain('egress.0');
    expect(refusal(own.replace("'*.vendor.example'", "'*.example'")).problems.map(({ path }) => path)).toContain('egress.0');
    expect(refusal(own.replace('required: [principal, baseUrl]', 'required: [principal]')).problems.map(({ path }) => path)).toContain(
      'base',
    );
  });
});
