import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundledSpecs } from '../../adapters/providers/load-spec.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { rekey } from '../support/local-installation.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-provider-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => rekey(['provider', ...args], { cwd: folder });

describe('provider list and show', () => {
  test('name every vendor with pattern, evidence and date, with nothing running', async () => {
    const { code, stdout } = await run('list', '--json');
    const sheets = JSON.parse(stdout) as { provider: string; pattern: string; evidence: string; checkedOn: string; cannot: string[] }[];
    expect(code).toBe(0);
    const names = sheets.map(({ provider }) => provider);
    for (const vendor of [
      'sendgrid',
      'datadog',
      'cloudflare',
      'twilio',
      'gitlab',
      'openai',
      'okta',
      'entra',
      'launchdarkly',
      'github',
      'aws-iam',
      'aws-api-gateway',
      'github-deploy-key',
    ])
      expect(names.filter((name) => name.startsWith(vendor)).length, vendor).toBeGreaterThan(0);
    expect(new Set(sheets.map(({ pattern }) => pattern))).toEqual(new Set(['additive', 'slots', 'grace', 'revokeOnly']));
    for (const { evidence, checkedOn } of sheets) {
      expect(['documented', 'observed', 'unverified']).toContain(evidence);
      expect(checkedOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
    expect((await run('list')).stdout).toMatch(/^PROVIDER +PATTERN +EVIDENCE +CHECKED/);
  });

  test('show says what it can, what it needs, what Rekey cannot promise, and where it was read', async () => {
    const { code, stdout } = await run('show', 'launchdarkly-sdk-key');
    expect(code).toBe(0);
    for (const part of [
      'the vendor itself ends the old key',
      'Rekey cannot:',
      'take a rotation back',
      'environment:',
      'documented, 2026-11-28',
      'https://',
    ])
      expect(stdout).toContain(part);
    // A limit that nobody documents is no fact: the sheet says so beside the number.
    expect((await run('show', 'twilio-api-key')).stdout).toContain('1000, disabled ones included (unverified)');
    expect(stdout).not.toContain('(unverified)');
    expect(await run('show', 'sendgird')).toMatchObject({ code: 3, stderr: expect.stringContaining('sendgrid') });
  });
});

describe('provider new', () => {
  test('writes a spec that can be linted and tested at once, and never over another file', async () => {
    const words = [
      'new',
      'acme-mail',
      '--title',
      'Acme',
      '--base',
      'https://api.acme.example',
      '--docs',
      'https://docs.acme.example',
      '--header',
      'X-Api-Key',
    ];
    expect(await run(...words)).toMatchObject({ code: 0 });
    expect(await run('lint', 'acme-mail.yaml')).toMatchObject({ code: 0, stdout: expect.stringContaining('still to be edited') });
    expect(await run('test', 'acme-mail.yaml')).toMatchObject({ code: 0, stdout: expect.stringContaining('7 of 7') });
    const before = readFileSync(join(folder, 'acme-mail.yaml'), 'utf8');
    expect(await run(...words)).toMatchObject({ code: 5 });
    expect(readFileSync(join(folder, 'acme-mail.yaml'), 'utf8')).toBe(before);
  });

  test('asks for what is missing, and refuses what no spec could be', async () => {
    expect(await run('new', 'acme')).toMatchObject({ code: 2, stderr: expect.stringContaining('--title') });
    const bad = await run(
      'new',
      'Acme!',
      '--title',
      "it's: #1",
      '--base',
      'http://10.0.0.1/x',
      '--docs',
      'nowhere',
      '--header',
      'a b',
      '--json',
    );
    expect(bad.code).toBe(2);
    expect((JSON.parse(bad.stderr) as { error: { problems: { path: string }[] } }).error.problems.map(({ path }) => path)).toEqual([
      'id',
      'base',
      'docs',
      'header',
      'title',
    ]);
  });
});

describe('provider lint and test', () => {
  const sendgrid = readFileSync(join(bundledSpecs, 'sendgrid.yaml'), 'utf8');
  const write = (name: string, from: string, to: string) => writeFileSync(join(folder, name), sendgrid.replace(from, to));

  test('every mistake has its line, its column and its reason', async () => {
    write('bad.yaml', 'maxLive: 100', 'maxLive: many');
    const { code, stderr } = await run('lint', 'bad.yaml', '--json');
    const line = sendgrid.split('\n').findIndex((one) => one.includes('maxLive')) + 1;
    expect(code).toBe(2);
    expect(stderr).toContain(`line ${line}, column 3: must be of type number`);
    expect(await run('lint', 'missing.yaml')).toMatchObject({ code: 3 });
  });

  test('a secret in a spec is refused and not repeated', async () => {
    const secret = `glpat-${'aB3dE5gH7j'.repeat(2)}`;
    write('secret.yaml', 'title: Twilio', `title: ${secret} Twilio`);
    const { code, stdout, stderr } = await run('lint', 'secret.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('looks like a secret');
    expect(`${stdout}${stderr}`).not.toContain(secret);
  });

  test('a shipped spec passes by its name; a fixture that differs fails and says in what', async () => {
    expect(await run('test', 'sendgrid')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ok    probe: a key that may not ask is alive'),
    });
    write(
      'bent.yaml',
      'status: [403], equals: { /errors/0/message: access forbidden } }\n      denied',
      'status: [418], equals: { /errors/0/message: access forbidden } }\n      denied',
    );
    const { code, stdout } = await run('test', 'bent.yaml');
    expect(code).toBe(6);
    expect(stdout).toContain('FAIL  probe: a key that may not ask is alive');
    expect(stdout).toContain('result.verdict is "inconclusive", not "alive"');
  });
});

describe('provider probe', () => {
  let vendor: Vendor;
  beforeEach(async () => {
    vendor = await startVendor();
    mkdirSync(join(folder, '.rekey', 'admin', 'sandbox'), { recursive: true });
    writeFileSync(join(folder, '.rekey', 'admin', 'sandbox', 'default.json'), JSON.stringify({ apiKey: vendor.adminKey.reveal() }), {
      mode: 0o600,
    });
  });
  afterEach(() => vendor.stop());
  const probe = (...more: string[]) =>
    run('probe', 'sandbox', '--param', 'principal=probe', `baseUrl=${vendor.url}`, '--every', '0.05', ...more);

  test('makes one throw-away key, ends it, touches no other, and writes down what it saw', async () => {
    const stranger = vendor.stranger('probe');
    vendor.behave({ activateMs: 300, disableMs: 300 });
    const { code, stdout } = await probe('--confirm', 'sandbox', '--json');
    expect(code).toBe(0);
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({ provider: 'sandbox', labelListed: true, neverIssued: 'denied', listAsBefore: true });
    expect(seen.acceptedAfterSeconds).toBeGreaterThan(0.1);
    expect(seen.refusedAfterSeconds).toBeGreaterThan(0.1);
    expect(readFileSync(join(folder, 'sandbox.observed.yaml'), 'utf8')).toContain('is: observed');
    expect(vendor.log().filter(({ path, method }) => path.includes(stranger.id) && method !== 'GET')).toEqual([]);
  });

  test('does nothing unless somebody says the name', async () => {
    expect(await probe()).toMatchObject({ code: 2, stderr: expect.stringContaining('--confirm sandbox') });
    expect(await probe('--confirm', 'sandbx')).toMatchObject({ code: 2 });
    expect(vendor.log()).toEqual([]);
  });

  test('takes the key away again when the vendor does not refuse it in time', async () => {
    vendor.fault({ kind: 'error-before', on: 'disable', count: 1 });
    const { code, stderr } = await probe('--confirm', 'sandbox');
    expect(code).not.toBe(0);
    expect(stderr).toContain('the throw-away key was deleted');
    expect(vendor.log().at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
  });

  test('takes away, or names, the key of a create that got no answer', async () => {
    const stranger = vendor.stranger('probe');
    vendor.fault({ kind: 'lost-response', on: 'create', count: 1 });
    const lost = await probe('--confirm', 'sandbox');
    expect(lost.code).not.toBe(0);
    expect(lost.stderr).toContain('the throw-away key was deleted');
    expect(vendor.log().at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
    expect(vendor.log().filter(({ path, method }) => path.includes(stranger.id) && method !== 'GET')).toEqual([]);
    vendor.fault({ kind: 'error-before', on: 'create', count: 1 });
    expect((await probe('--confirm', 'sandbox')).stderr).toMatch(/MAY BE THERE: if rekey-throw-away-[0-9a-f]{8} appears/);
  });

  test('is refused where a throw-away key would end the one in use', async () => {
    mkdirSync(join(folder, '.rekey', 'admin', 'launchdarkly-sdk-key'), { recursive: true });
    writeFileSync(join(folder, '.rekey', 'admin', 'launchdarkly-sdk-key', 'default.json'), '{"token":"x"}', { mode: 0o600 });
    expect(
      await run('probe', 'launchdarkly-sdk-key', '--param', 'project=a', 'environment=b', '--confirm', 'launchdarkly-sdk-key'),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('would end the one in use'),
    });
  });
});
