import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bodyBytes } from '../../requests/body.ts';
import type { Message } from '../../requests/senders/sender.ts';
import { type Installation, keyDocument, localInstallation } from '../support/local-installation.ts';
import {
  genericEvent,
  githubAlert,
  githubPartnerAlert,
  githubPartnerKeys,
  githubSecret,
  gitleaksReport,
  trufflehogReport,
} from '../support/samples.ts';

let here: Installation;
beforeAll(async () => {
  here = await localInstallation();
  const folder = join(here.workspace, '.rekey', 'senders');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, secret] of Object.entries({ github: githubSecret, 'github-partner': githubPartnerKeys, 'event-hr': 'hr’s own secret' }))
    writeFileSync(join(folder, name), `${secret}\n`, { mode: 0o600 });
});
afterAll(() => here.stop());

async function post(sender: string, { headers, raw }: Message) {
  const response = await fetch(`${here.started.url}/reports/${sender}`, {
    method: 'POST',
    headers: headers as Record<string, string>,
    body: new Uint8Array(raw),
  });
  return { status: response.status, body: await response.text() };
}

/** A key whose value is known, on a principal of its own. */
async function adopt(keyId: string, change = (document: string) => document): Promise<{ id: string; value: string }> {
  const made = here.vendor.stranger(keyId.replaceAll('/', '-'), 'made by hand');
  writeFileSync(join(here.workspace, 'one.yaml'), change(keyDocument(keyId)));
  const { code } = await here.rekey(['key', 'add', '-f', 'one.yaml', '--value-from', '-'], { stdin: made.value });
  expect(code).toBe(0);
  return made;
}

/** On a busy machine the vendor may be told a moment after the answer. */
const patiently = { timeout: 30_000, interval: 50 };

/** What the vendor's own log says of a credential: told to refuse it, and how its value was answered since. */
function vendorSaw(id: string, value: string) {
  const log = here.vendor.log();
  const from = log.findIndex(({ operation, path, status }) => operation === 'disable' && path.includes(id) && status === 200);
  const digest = createHash('sha256').update(value).digest('hex');
  return {
    disabled: from >= 0,
    accepted: from >= 0 && log.slice(from).some(({ valueSha256, outcome }) => valueSha256 === digest && outcome === 'accepted'),
  };
}

describe('POL-I1: a report by its public door ends at the vendor', () => {
  const cases: readonly [string, string, (value: string) => Message][] = [
    ['GitHub’s webhook', 'github', (value) => githubAlert(value, { number: 7 })],
    ['GitHub’s partner programme', 'github-partner', (value) => githubPartnerAlert(['nobody-s', value])],
    [
      'the generic event',
      'event',
      (value) =>
        genericEvent({ id: 'e-1', source: 'leak', subject: { leaked: value }, says: 'found', where: 'chat' }, { nowMs: Date.now() }),
    ],
  ];
  test.each(cases)('%s', async (_, sender, message) => {
    const { id, value } = await adopt(`reports/${sender}`);
    const sent = message(value);
    const { status, body } = await post(sender, sent);
    expect([status, JSON.parse(body)]).toMatchObject([200, { result: { matched: 1, acted: 1 } }]);
    expect(body).not.toContain(value);
    await vi.waitFor(() => expect(vendorSaw(id, value)).toEqual({ disabled: true, accepted: false }), patiently);
    expect(await post(sender, sent)).toMatchObject({ status: 200, body: expect.stringMatching(/"acted":0/) });
  });

  test.each([
    ['Gitleaks', gitleaksReport],
    ['TruffleHog', trufflehogReport],
  ])('%s, by the command line', async (name, made) => {
    const { id, value } = await adopt(`reports/${name.toLowerCase()}`);
    const { code, stdout, stderr } = await here.rekey(['report', '-f', '-'], { stdin: made(value) });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/1 about keys that Rekey knows[\s\S]*revoke/)]);
    expect(stdout + stderr).not.toContain(value);
    await vi.waitFor(() => expect(vendorSaw(id, value)).toEqual({ disabled: true, accepted: false }), patiently);
  });
});

test('row 60: what is not signed right, too large, or for nobody is refused, and nothing of it comes back', async () => {
  const { id, value } = await adopt('reports/safe');
  const wrong = githubAlert(value, { signedWith: 'another secret' });
  const forged = await post('github', wrong);
  expect([forged.status, forged.body]).toEqual([401, expect.stringMatching(/E_CREDENTIALS/)]);
  expect(forged.body).not.toContain(value);
  expect((await post('github', { ...wrong, raw: Buffer.alloc(bodyBytes + 1, 0x20) })).status).toBe(413);
  expect((await post('nobody', wrong)).status).toBe(404);
  expect(vendorSaw(id, value).disabled).toBe(false);
});

test('POL-I2: a departure is looked at before it is reported', async () => {
  const { stdout } = await here.rekey(['report', '--departure', 'team-payments', '--dry-run']);
  expect(stdout).toMatch(/reports\/safe[\s\S]*owner[\s\S]*rotate[\s\S]*Nothing was changed/);
});

describe('POL-F2: the signed event by its public door ends at the vendor, with', () => {
  const send = async (body: object) => {
    const { status, body: answered } = await post('event', genericEvent(body, { nowMs: Date.now() }));
    return [status, JSON.parse(answered)];
  };
  const minted = (keyId: string) =>
    here.vendor
      .log()
      .filter(
        ({ operation, path, status }) => operation === 'create' && status === 201 && path.includes(`/${keyId.replaceAll('/', '-')}/`),
      );

  test.each([
    ['suspicious-use', (keyId: string) => ({ keyId }), (document: string) => document],
    ['departure', () => ({ person: 'ada' }), (document: string) => document.replace('purpose:', 'readers: [ada]\npurpose:')],
    ['system-change', () => ({ service: 'mover' }), (document: string) => document.replace('checkout', 'mover')],
  ] as const)(
    'a new version for %s, minted once for an event that comes twice',
    async (source, subject, change) => {
      const keyId = `events/${source}`;
      await adopt(keyId, change);
      const event = { id: `e-${source}`, source, subject: subject(keyId), says: 'as its sender says' };
      expect(await send(event)).toMatchObject([200, { result: { matched: 1, queued: 0 } }]);
      await expect.poll(() => minted(keyId).length, { timeout: 100_000, interval: 500 }).toBe(1);
      expect(await send(event)).toMatchObject([200, { result: { acted: 0 } }]);
      expect(minted(keyId)).toHaveLength(1);
    },
    120_000,
  );

  test('nothing for vendor-end but somebody who is asked; once a person says it too, every version there is dead and none is minted', async () => {
    const { id, value } = await adopt('events/vendor-end');
    const event = { id: 'e-end', source: 'vendor-end', subject: { vendor: 'sandbox' }, says: 'the contract ended' };
    expect(await send(event)).toMatchObject([200, { result: { matched: 1 } }]);
    expect(vendorSaw(id, value).disabled).toBe(false);
    expect(await here.rekey(['report', '--vendor-end', 'sandbox', '--says', 'the contract ended'])).toMatchObject({ code: 0 });
    await expect.poll(() => vendorSaw(id, value), { timeout: 100_000, interval: 500 }).toEqual({ disabled: true, accepted: false });
    expect(minted('events/vendor-end')).toEqual([]);
  }, 120_000);
});
