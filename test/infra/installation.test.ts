import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Refused, Refused as RefusedError } from '../../core/errors.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { productionSettings } from '../../core/settings.ts';
import { readInstallation } from '../../infra/installation.ts';
import { makeCertificate } from '../support/certificate.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-installation-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function refusal(stage = 'test'): Refused {
  try {
    readInstallation(stage, folder);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const shipped = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('an installation', () => {
  test('without files of its own is production’s settings and the shipped policy', () => {
    const { settings, policy } = readInstallation('dev');
    expect(settings).toEqual({ ...productionSettings, stage: 'dev' });
    expect(policy).toEqual(defaultPolicy);
  });

  test('takes what its files say instead', () => {
    write('settings.yaml', 'settleSeconds: 90\nsweepSeconds:\n  high: 120\n');
    write('policy.yaml', shipped('policy.yaml').replace('rotateEvery: P30D', 'rotateEvery: P60D').replace('P45D', 'P90D'));
    const { settings, policy } = readInstallation('test', folder);
    expect(settings).toMatchObject({ settleSeconds: 90, sweepSeconds: { high: 120, medium: 3600 } });
    expect(policy.tiers.high.rotateEverySeconds).toBe(60 * 24 * 3600);
  });

  test('is refused when its folder does not exist, instead of being production’s', () => {
    rmSync(folder, { recursive: true });
    expect(refusal().code).toBe('E_NOT_FOUND');
    mkdirSync(folder);
  });

  test('keeps keys of API Gateway only when it says so, and no spec takes the name of a provider that is code', () => {
    expect(readInstallation('test', folder).apiGateway).toBe(false);
    write('settings.yaml', 'apiGateway: true\n');
    expect(readInstallation('test', folder).apiGateway).toBe(true);
    write('providers/mine.yaml', shipped('adapters/providers/specs/sendgrid.yaml').replace('id: sendgrid', 'id: aws-api-gateway'));
    expect(refusal().code).toBe('E_EXISTS');
    write('settings.yaml', 'apiGateway: yes please\n');
    expect(refusal().problems).toEqual([{ path: 'apiGateway', message: 'must be true or false' }]);
  });

  test.each([
    ['an unknown setting', 'settings.yaml', 'callSecond: 5\n', 'callSecond'],
    ['a setting of another type', 'settings.yaml', 'callSeconds: "5"\n', 'callSeconds'],
    ['settings that contradict each other', 'settings.yaml', 'callSeconds: 30\n', 'functionSeconds'],
  ])('is refused with %s', (_, file, text, path) => {
    write(file, text);
    expect(refusal().problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('is refused with a policy whose period is shorter than its overlap and soak', () => {
    write('policy.yaml', shipped('policy.yaml').replace('rotateEvery: P30D', 'rotateEvery: P8D'));
    expect(refusal().problems).toEqual([expect.objectContaining({ message: expect.stringContaining('overlapMax + soak') })]);
  });

  test('lists private hosts and the authorities that are trusted there; by default there are none', () => {
    expect(readInstallation('test', folder).privateHosts).toEqual([]);
    const { cert } = makeCertificate('DNS:gitlab.internal');
    write('settings.yaml', "privateHosts: ['gitlab.internal:8443', '10.1.2.3:443', '[fd12::1]:8443']\n");
    write('authorities.pem', `made by hand\n${cert}${cert}`);
    const { privateHosts, authorities, settings } = readInstallation('test', folder);
    expect(privateHosts).toEqual(['gitlab.internal:8443', '10.1.2.3:443', '[fd12::1]:8443']);
    expect(authorities).toBe(`${cert.trim()}\n${cert.trim()}`);
    expect(settings).toEqual({ ...productionSettings, stage: 'test' });
  });

  test.each([
    ['that is no list', 'gitlab.internal:8443', 'privateHosts'],
    ['without a port', '[gitlab.internal]', 'privateHosts.0'],
    ['with a scheme', "['https://gitlab.internal:8443']", 'privateHosts.0'],
    ['with a path', "['gitlab.internal:8443/api']", 'privateHosts.0'],
    ['in capitals', "['GitLab.internal:8443']", 'privateHosts.0'],
    ['that stands for many', "['*.internal:8443']", 'privateHosts.0'],
    ['written in another way', "['127.1:8443']", 'privateHosts.0'],
    ['that is metadata', "['169.254.169.254:443']", 'privateHosts.0'],
    ['that is metadata in IPv6', "['[fd00:ec2::254]:443']", 'privateHosts.0'],
    ['that is IPv4 inside IPv6', "['[::ffff:a00:1]:443']", 'privateHosts.0'],
    ['that is a number', '[8443]', 'privateHosts.0'],
  ])('is refused with a private host %s', (_, given, path) => {
    write('settings.yaml', `privateHosts: ${given}\n`);
    expect(refusal().problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('is refused with authorities that cannot be used, and with a private key among them', () => {
    const { cert, key } = makeCertificate('DNS:gitlab.internal');
    write('authorities.pem', 'nothing');
    expect(refusal().message).toContain('no certificate');
    write('authorities.pem', `${cert}${cert.replace(/\n.{64}\n/, '\n')}`);
    expect(refusal().message).toContain('certificate 2');
    write('authorities.pem', `${cert}${key}`);
    expect(refusal().code).toBe('E_SECRET_IN_INPUT');
  });

  test('is refused when its settings are for another stage', () => {
    write('settings.yaml', 'stage: other\n');
    expect(refusal().message).toContain('for stage other');
  });

  test.each(['', 'Prod', '1st', 'a'.repeat(17), 'a/b'])('is refused for a stage called "%s"', (stage) => {
    expect(refusal(stage).code).toBe('E_INPUT_INVALID');
  });
});

describe('a provider of an installation', () => {
  const sandbox = shipped('adapters/providers/specs/sandbox.yaml');

  test('that runs on a laptop only is left out when it is shipped, and refused when it is the installation’s own', () => {
    expect(readInstallation('test').specs.map(({ metadata }) => metadata.id)).not.toContain('sandbox');
    write('providers/own.yaml', sandbox);
    expect(refusal().code).toBe('E_INPUT_INVALID');
  });

  test('that is reached over plain HTTP or on this machine is refused even when it does not say so', () => {
    write('providers/own.yaml', sandbox.replace(/^ *localOnly: true\n/m, ''));
    const { problems } = refusal();
    expect(problems.map(({ path }) => path)).toContain('base.default');
  });

  test('that is reached in a private network needs its exact host and port in the settings', () => {
    const inside = sandbox
      .replace(/^ *localOnly: true\n/m, '')
      .replace('egress: [127.0.0.1]', 'egress: [gitlab.internal]')
      .replace('http://127.0.0.1:4010', 'https://gitlab.internal:8443');
    write('providers/own.yaml', inside);
    expect(refusal().problems.map(({ path }) => path)).toEqual(['base.default']);
    write('settings.yaml', "privateHosts: ['gitlab.internal:8443']\n");
    expect(readInstallation('test', folder).specs.map(({ metadata }) => metadata.id)).toContain('sandbox');
  });
});

describe('the shipped providers', () => {
  test('all reach the functions, without their fixtures, unless settings.yaml names the ones it wants', () => {
    const all = readInstallation('test', folder).specs;
    expect(all.length).toBeGreaterThanOrEqual(14);
    expect(all.every((spec) => !('fixtures' in spec))).toBe(true);
    write('settings.yaml', 'providers: [sendgrid, okta-client-secret]\n');
    expect(readInstallation('test', folder).specs.map(({ metadata }) => metadata.id)).toEqual(['okta-client-secret', 'sendgrid']);
  });

  test('are refused by a name that none of them has', () => {
    write('settings.yaml', 'providers: [sendgird]\n');
    expect(refusal().problems).toMatchObject([{ path: 'providers', message: expect.stringContaining('sendgrid') }]);
  });
});
