import { describe, expect, it } from 'vitest';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { bad, good, refusal } from '../support/good-spec.ts';

describe('what may stand in the URLs and templates of a spec', () => {
  describe('threats row 47: an address that must not be called', () => {
    it.each([
      'http://api.vendor.example',
      'https://169.254.169.254',
      'https://[::ffff:a9fe:a9fe]',
      'https://[::1]',
      'https://2852039166',
      'https://0xa9fea9fe',
      'https://0251.0376.0251.0376',
      'https://0x7f.1',
      'https://127.1',
      'https://robot@api.vendor.example',
      'https://robot:word@api.vendor.example',
      'https://api.vendor.example:22',
      'https://other.vendor.example',
      'https://api.vendor.example.',
      'https://api.vendor.example@169.254.169.254',
      'https://localhost',
      'ftp://api.vendor.example',
      'https://{{params.principal}}',
      'https://api.vendor.example.{{params.principal}}',
      '//api.vendor.example',
      'https:/api.vendor.example',
    ])('is refused in a step: %s', (origin) => {
      const yaml = good.replace("'{{base}}/v1/whoami'", `'${origin}/v1/whoami'`);
      expect(refusal(yaml).problems.map(({ path }) => path)).toContain('operations.probe.steps.0.request.url');
    });

    it.each([
      'http://api.vendor.example',
      'https://127.0.0.1',
      'https://a:b@api.vendor.example',
      'https://api.vendor.example:22',
      'https://api.vendor.example/v1',
      'nonsense',
    ])('is refused as the base: %s', (base) =>
      expect(refusal(bad("default: 'https://api.vendor.example'", `default: '${base}'`)).problems.map(({ path }) => path)).toContain(
        'base.default',
      ),
    );

    it.each([
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      'localhost',
      '*.vendor.example',
      'API.vendor.example',
      'vendor.example:443',
      'https://vendor.example',
      'vendor.example/x',
      'vendor.example.',
      'väx.example',
    ])('is refused as an egress host: %s', (host) =>
      expect(
        refusal(bad('egress: [api.vendor.example]', `egress: [api.vendor.example, '${host}']`)).problems.map(({ path }) => path),
      ).toContain('egress.1'),
    );
  });

  describe('threats row 48: a template that is not one', () => {
    it.each([
      ['{{constructor}}', 'does not exist'],
      ['{{params.constructor}}', 'does not exist'],
      ['{{params.__proto__}}', 'not a name'],
      ['{{key.secret}}', 'does not exist'],
      ['{{create.id}}', 'does not exist'],
      ['{{list.id}}', 'does not exist'],
      ['{{process.env}}', 'does not exist'],
      ['{{1 + 1}}', 'not a name'],
      ['{{key.label()}}', 'not a name'],
      ['{{}}', 'not a name'],
      ['{{{{key.label}}}}', 'not a name'],
      ['{{key.label', 'no closing'],
      ['key.label}}', 'no opening'],
      ['{{key.label|eval}}', 'no such filter'],
      ['{{key.label|constructor}}', 'no such filter'],
      ['{{key.label|upper:1}}', 'wrong argument'],
      ['{{now|addDuration:soon}}', 'wrong argument'],
    ])('refuses %s', (template, message) => {
      const { problems } = refusal(bad("name: '{{key.label}}'", `name: '${template}'`));
      expect(problems).toMatchObject([{ path: 'operations.create.steps.0.request.json.name', message: expect.stringContaining(message) }]);
    });

    it('leaves $ and single braces alone: they are text', () => {
      const spec = loadSpec(bad("name: '{{key.label}}'", `name: '$${'{'}key.label} {x}'`), 'vendor.yaml');
      expect(JSON.stringify(spec.operations.create)).toContain(`$${'{'}key.label} {x}`);
    });

    it('refuses a part of a URL that is not encoded', () => {
      expect(refusal(good.replace('{{key.credentialId|uri}}', '{{key.credentialId}}')).problems[0]?.message).toContain(
        'needs the filter uri',
      );
    });
  });

  describe('threats row 49: a secret in a URL or a query', () => {
    it.each([
      ['the key in a path', bad("'{{base}}/v1/whoami'", "'{{base}}/v1/whoami/{{key.secret|uri}}'"), 'operations.probe.steps.0.request.url'],
      [
        'the key in a query',
        bad("'{{base}}/v1/whoami' }", "'{{base}}/v1/whoami', query: { k: '{{key.secret}}' } }"),
        'operations.probe.steps.0.request.query.k',
      ],
      [
        'the admin credential in a query',
        bad("/keys' }", "/keys', query: { k: '{{admin.apiKey|base64}}' } }"),
        'operations.list.steps.0.request.query.k',
      ],
      [
        'the key in a query scheme',
        bad("subject: { scheme: bearer, token: '{{key.secret}}' }", "subject: { scheme: query, query: { k: '{{key.secret}}' } }"),
        'auth.subject.query.k',
      ],
      [
        'a secret output as an id',
        bad("credentialId: '{{create.id}}'", "credentialId: '{{create.value}}'"),
        'operations.create.credentialId',
      ],
    ])('refuses %s', (_what, yaml, path) => {
      expect(refusal(yaml).problems).toMatchObject([{ path, message: expect.stringContaining('a secret may not stand') }]);
    });
  });
});
