import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aftermath } from '../../cli/aftermath.ts';
import type { KeyReport } from '../../core/show.ts';
import { type Installation, keyDocument, launcher, localInstallation } from '../support/local-installation.ts';
import { ok, type StubDoor, stubDoor } from '../support/stub-door.ts';

describe('a leaked key', () => {
  let here: Installation;
  beforeAll(async () => {
    here = await localInstallation();
  });
  afterAll(() => here.stop());

  const adopt = async (key: string) => {
    const made = here.vendor.stranger(key.replaceAll('/', '-'), 'made by hand');
    const { code } = await here.rekey(['key', 'add', '-f', here.keyFile('one.yaml', key), '--value-from', '-'], { stdin: made.value });
    expect(code).toBe(0);
    return made;
  };
  const show = async (key: string) => JSON.parse((await here.rekey(['key', 'show', key, '--json'])).stdout) as KeyReport;

  test('POL-R0, POL-R5: is found by its string, ended, and proven dead in the vendor’s own log; then it is said what is next', async () => {
    const { id, value } = await adopt('leaked/one');
    const asked = await here.rekey(['revoke', '--leaked', '-'], { stdin: value });
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/version 1 of leaked\/one[\s\S]*--confirm leaked\/one/) });
    expect((await show('leaked/one')).state).toBe('active');

    const { code, stdout, stderr } = await here.rekey(['revoke', '--leaked', '-', '--confirm', 'leaked/one', '--timeout', '90'], {
      stdin: `${value}\n`,
    });
    const [certificate = '', rest = ''] = stdout.split(/^(?=Version 1)/m);
    expect(certificate).toMatch(
      /^DEATH CERTIFICATE {2}leaked\/one, version 1 [\s\S]*refused {5}\d+ times in a row[\s\S]*Since the report:\n {2}fenced[\s\S]*dead .* s {3}due at 15 m/,
    );
    expect(rest.split('\n')).toEqual([
      'Version 1 of leaked/one is dead: proven refused by sandbox. It cannot return.',
      'Version 2 can reach 1 service in about 32 seconds after it is issued.',
      'It is held back until you say so: rekey reissue leaked/one --reason "…"',
      'Was this the wrong key? rekey reissue leaked/one --mistake --reason "…"',
      '',
    ]);
    expect(stderr).toMatch(/provider was told to refuse version 1[\s\S]*version 1 is disabled[\s\S]*contained/);
    expect(stdout + stderr).not.toContain(value);
    expect(code).toBe(0);
    const log = here.vendor.log();
    const disabled = log.findIndex(({ operation, path, status }) => operation === 'disable' && path.includes(id) && status === 200);
    const ofValue = log.slice(disabled).filter(({ valueSha256 }) => valueSha256 === createHash('sha256').update(value).digest('hex'));
    expect(disabled).toBeGreaterThanOrEqual(0);
    expect(new Set(ofValue.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
  });

  test('row 12: is not rotated; row 15: is revoked twice as once', async () => {
    expect(await here.rekey(['rotate', 'leaked/one', '--yes'])).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_REVOKED/) });
    const { operation } = await show('leaked/one');
    const again = await here.rekey(['revoke', 'leaked/one', '--confirm', 'leaked/one', '--no-wait', '--json']);
    expect([again.code, JSON.parse(again.stdout).operationId]).toEqual([0, operation?.id]);
  });

  test('POL-R6: is reissued when somebody says that it is safe, or that it was a mistake', async () => {
    expect((await here.rekey(['reissue', 'leaked/one', '--mistake', '--reason', 'wrong key', '--dry-run'])).stdout).toMatch(
      /false alarm[\s\S]*Nothing was changed/,
    );
    const contained = await here.rekey(['key', 'show', 'leaked/one', '--watch', '--timeout', '90']);
    expect(contained.code).toBe(0);
    const { code, stdout } = await here.rekey(['reissue', 'leaked/one', '--mistake', '--reason', 'wrong key', '--wait']);
    expect([code, stdout]).toEqual([0, 'leaked/one is active, on version 2.\n']);
    expect((await show('leaked/one')).versions[0]).toMatchObject({ number: 1, compromised: true });
  });

  test('POL-F7: leaves a record of its own, which is closed only after somebody else has judged it', async () => {
    const record = await here.rekey(['incident', 'show', 'leaked/one']);
    expect(record).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^# Incident revoke-[\s\S]*\*\*recovered\*\*[\s\S]*## Proofs of death[\s\S]*Root cause: not said yet[\s\S]*revocation\.closed/,
      ),
    });
    expect((await here.rekey(['incident', 'list', 'leaked/one'])).stdout).toMatch(/revoke-/);
    const closed = await here.rekey(['incident', 'close', 'leaked/one', '--root-cause', 'the wrong key']);
    expect(closed).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_BUSY[\s\S]*rekey review answer/) });
  });

  test('POL-F4: is planned where it is no emergency, and of a high tier it waits for somebody who is not whoever asked', async () => {
    const key = 'leaked/planned';
    writeFileSync(join(here.workspace, 'planned.yaml'), keyDocument(key).replace('purpose:', 'privileged: true\npurpose:'));
    const made = here.vendor.stranger('leaked-planned', 'made by hand');
    expect((await here.rekey(['key', 'add', '-f', 'planned.yaml', '--value-from', '-'], { stdin: made.value })).code).toBe(0);
    const plan = ['revoke', key, '--planned', '--confirm', key];
    expect(await here.rekey(plan)).toMatchObject({ code: 2, stderr: expect.stringMatching(/needs --reason/) });
    const asked = await here.rekey([...plan, '--reason', 'the vendor changes']);
    expect(asked).toMatchObject({
      code: 8,
      stdout: expect.stringMatching(/waits for an owner who is not you[\s\S]*rekey approve leaked\/planned/),
    });
    expect(await here.rekey(['approve', key, '--confirm', key])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^E_FORBIDDEN/) });
    expect((await here.rekey(['approve', key, '--decline', '--reason', 'it stays'])).code).toBe(0);
    expect((await show(key)).state).toBe('active');
  });

  test('row 16: whose version is dead already is no work, and ends well', async () => {
    const { code, stdout } = await here.rekey(['revoke', 'leaked/one', '--versions', '1', '--confirm', 'leaked/one', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { alreadyDead: true }]);
  });

  test('row 14, row 18: is taken from a running rotation at once, without a reason', async () => {
    await adopt('leaked/two');
    await here.rekey(['rotate', 'leaked/two', '--yes']);
    const { code, stdout, stderr } = await here.rekey(['revoke', 'leaked/two', '--confirm', 'leaked/two', '--no-wait']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/No reason was given/);
    expect(stdout).toMatch(/^Versions? 1.* of leaked\/two (is|are) (not proven )?dead/);
    expect((await show('leaked/two')).operation?.kind).toBe('revoke');
  });

  test('is only looked at by a dry run', async () => {
    await adopt('leaked/three');
    const { code, stdout } = await here.rekey(['revoke', 'leaked/three', '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/disable version 1[\s\S]*checkout[\s\S]*Nothing was changed/)]);
    expect((await show('leaked/three')).state).toBe('active');
  });

  test('is not ended under another name, or without one', async () => {
    for (const args of [['--confirm', 'leaked/thre'], []]) {
      expect(await here.rekey(['revoke', 'leaked/three', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^E_USAGE/) });
    }
    expect((await show('leaked/three')).state).toBe('active');
  });

  test('that nobody registered is said so, and is not repeated', async () => {
    const { value } = here.vendor.stranger('stranger', 'made by hand');
    const { code, stdout, stderr } = await here.rekey(['revoke', '--leaked', '-'], { stdin: value });
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^E_NOT_FOUND[\s\S]*looks like: sandbox[\s\S]*--unmanaged --provider sandbox/),
    ]);
    expect(stdout + stderr).not.toContain(value);
  });

  test('that no key has is ended at its provider all the same, seen refused there, and never shown', async () => {
    const { id, value } = here.vendor.stranger('nobody', 'made by hand');
    const at = ['revoke', '--unmanaged', '--provider', 'sandbox', '--credential-id', id, '--param', 'principal=nobody'];
    expect(await here.rekey(at)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--confirm sandbox/) });
    const { code, stdout, stderr } = await here.rekey([...at, '--leaked', '-', '--confirm', 'sandbox'], { stdin: value });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/told to refuse it\. It is dead: refused 2 times in a row/)]);
    expect(stdout + stderr).not.toContain(value);
    const log = here.vendor.log().filter(({ path, credentialId }) => path.includes(id) || credentialId === id);
    expect(log.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'disable accepted',
      'whoami refused',
      'whoami refused',
    ]);
  });

  test('is shown with whose it is and who uses it, before anything is asked', async () => {
    const { value } = await adopt('leaked/four');
    const { code, stderr } = await here.rekey(['revoke', '--leaked', '-'], { stdin: value });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /version 1 of leaked\/four[\s\S]*found by its fingerprint[\s\S]*owned by[\s\S]*used by {6}checkout[\s\S]*will break[\s\S]*shared with/,
    );
  });
});

const report = (more: object = {}) =>
  ({
    id: 'a/b',
    provider: 'sandbox',
    state: 'revoking',
    current: 1,
    versions: [{ number: 1, state: 'disabling', role: 'current', compromised: true }],
    facts: { consumers: [{ refreshSeconds: 3000 }, { refreshSeconds: 60 }] },
    operation: { id: 'revoke-1', kind: 'revoke', step: 'validate', oldVersion: 1, newVersion: 0, waitsFor: null, stopwatch: [] },
    adoption: {},
    attention: null,
    ...more,
  }) as unknown as KeyReport;

describe('watching a revocation', () => {
  let door: StubDoor;
  beforeAll(async () => {
    door = await stubDoor();
  });
  afterAll(() => door.stop());
  beforeEach(() => {
    door.reply = ({ path }) =>
      ok(path.endsWith('show') ? report() : { keyId: 'a/b', operationId: 'revoke-1', versions: [], message: 'told', alreadyDead: false });
  });

  test('ends with 130 at Ctrl-C, says that the work goes on, and how to watch again', async () => {
    const child = spawn(process.execPath, [launcher, 'revoke', 'a/b', '--confirm', 'a/b'], { cwd: door.workspace });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (!stderr.includes('validate') && `${stderr}${chunk}`.includes('validate')) child.kill('SIGINT');
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    expect(stderr).toMatch(/work itself goes on\. Watch again: rekey key show a\/b --watch/);
  });

  test('ends with 7 when its time is over', async () => {
    const child = spawn(process.execPath, [launcher, 'revoke', 'a/b', '--confirm', 'a/b', '--timeout', '0.1'], { cwd: door.workspace });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(7);
    expect(stdout).toMatch(/CONTAINMENT INCOMPLETE/);
  });

  test('ends with 8 when a person is needed', async () => {
    const attention = { reason: 'revocation-stuck', message: 'the vendor does not answer', since: '2026-01-01T00:00:00Z' };
    door.reply = ({ path }) =>
      ok(
        path.endsWith('show')
          ? report({ operation: null, attention })
          : { keyId: 'a/b', operationId: 'revoke-1', versions: [], message: 'told', alreadyDead: false },
      );
    const child = spawn(process.execPath, [launcher, 'revoke', 'a/b', '--confirm', 'a/b'], { cwd: door.workspace, stdio: 'ignore' });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(8);
  });
});

describe('what a revocation means', () => {
  test('says of each version whether it is dead, and what reaches whom by when', () => {
    expect(aftermath(report(), 'all')).toEqual([
      'Version 1 of a/b is not proven dead yet: CONTAINMENT INCOMPLETE. sandbox is asked until it is.',
      'Version 2 can reach 2 services in about 51 minutes after it is issued.',
      'It is issued by itself when that is safe.',
    ]);
  });

  test('says nothing of a version being in use before the record has marked what was revoked', () => {
    const versions = [{ number: 1, state: 'live', role: 'current', compromised: false }];
    for (const scope of ['all', [1]] as const) {
      expect(aftermath(report({ versions }), scope)[0]).toBe(
        'Version 1 of a/b is not proven dead yet: CONTAINMENT INCOMPLETE. sandbox is asked until it is.',
      );
    }
  });

  test('says that nothing is to be done where a clean version is in use', () => {
    const versions = [
      { number: 1, state: 'disabled', role: 'previous', compromised: true },
      { number: 2, state: 'live', role: 'current', compromised: false },
    ];
    expect(aftermath(report({ versions, current: 2, state: 'active' }), [1])).toEqual([
      'Version 1 of a/b is dead: proven refused by sandbox. It cannot return.',
      'Version 2 is in use and was not revoked: services go on with it, or as soon as they read it.',
    ]);
  });
});
