import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { KeyRefused, type RekeyConsumer, rekeyConsumer } from '../../consumer/consumer.ts';
import { httpFeed, httpReceipts } from '../../consumer/http.ts';
import type { AuditEntry } from '../../core/audit.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { factsOf, type LocalProcess, localProcess } from '../support/local-process.ts';

/** When to kill: as soon as the key's history has this event, the key is in this state, or the vendor logged such a call; with a fault set before. */
interface Moment {
  readonly event?: string;
  readonly detail?: Readonly<Record<string, string>>;
  readonly state?: string;
  readonly call?: 'create' | 'disable';
  readonly fault?: { readonly kind: 'slow' | 'timeout-after-success'; readonly on: 'create' | 'disable' };
}

const lost = (on: 'create' | 'disable') => ({ kind: 'timeout-after-success', on }) as const;
const slow = (on: 'create' | 'disable') => ({ kind: 'slow', on }) as const;

const rotation: readonly Moment[] = [
  { event: 'rotation.started' },
  { event: 'effect.intended', detail: { effect: 'provider.create' }, fault: slow('create') },
  { call: 'create', fault: lost('create') },
  { event: 'version.created' },
  { event: 'effect.intended', detail: { effect: 'secrets.put' } },
  { event: 'version.issued' },
  { event: 'effect.intended', detail: { effect: 'destination.write' } },
  { event: 'version.distributed' },
  { event: 'rotation.confirmed' },
  { event: 'version.verified' },
  { event: 'rotation.point-of-no-return' },
  { call: 'disable', fault: lost('disable') },
];

const revocation: readonly Moment[] = [
  { state: 'revoking', fault: slow('disable') },
  { state: 'revoking' },
  { event: 'versions.compromised' },
  { event: 'revocation.disabled' },
  { event: 'revocation.notified' },
  { event: 'revocation.contained' },
  { event: 'revocation.attributed' },
  { call: 'create', fault: lost('create') },
  { event: 'version.issued' },
  { event: 'effect.intended', detail: { effect: 'secrets.promote' } },
  { event: 'version.distributed' },
  { event: 'version.verified' },
];

interface Shown {
  readonly state: string;
  readonly current: number;
  readonly operation: unknown;
  readonly auditBreak: unknown;
  readonly versions: readonly {
    readonly number: number;
    readonly state: string;
    readonly compromised: boolean;
    readonly credentialId: string | null;
  }[];
}

const policy = `
apiVersion: rekey/v1
kind: Policy
version: kill
approvedStores: [rekey]
maxHold: P1D
tiers:
  high: &tier { rotateEvery: P30D, overlapMin: PT0S, overlapMax: PT60S, atOverlapMax: hold, soak: P7D, quiet: P1D, tolerance: PT1H }
  medium: *tier
  low: *tier
`;

describe.concurrent('local mode, killed', () => {
  test.for([
    { name: 'rotation', moments: rotation },
    { name: 'revocation', moments: revocation },
  ] as const)(
    'at twelve moments of a $name, ends every operation with an accepted current version and no other',
    {
      timeout: 480_000,
    },
    async ({ name, moments }, { onTestFinished }) => {
      const ends: (() => Promise<unknown>)[] = [];
      onTestFinished(async () => {
        for (const end of ends.reverse()) await end();
      });
      const stage = await setUp(ends, moments.length);
      const { local, keyIds, vendor } = stage;
      for (const [index, moment] of moments.entries()) {
        await killAt(stage, keyIds[index] as string, moment, name === 'rotation' ? begin : revoke);
        await local.start();
      }
      for (const keyId of keyIds) await ended(stage, keyId, name === 'revocation');
      const refused = vendor.log().filter(({ operation, outcome }) => operation === 'work' && outcome === 'refused');
      if (name === 'rotation') expect(refused).toEqual([]);
    },
  );
});

interface Stage {
  readonly local: LocalProcess;
  readonly vendor: Vendor;
  readonly workspace: string;
  readonly keyIds: readonly string[];
  /** SHA-256 of every value that was ever delivered, by key. */
  readonly seen: Map<string, Map<string, string>>;
}

/** A vendor that outlives the process, keys with a minted version 1, and one consumer of them all that keeps working. */
async function setUp(ends: (() => Promise<unknown>)[], count: number): Promise<Stage> {
  const workspace = await mkdtemp(join(tmpdir(), 'rekey-kill-'));
  ends.push(() => rm(workspace, { recursive: true, force: true, maxRetries: 5 }));
  const vendor = await startVendor();
  ends.push(() => vendor.stop());
  const local = await localProcess(workspace, vendor);
  await writeFile(join(local.folder, 'policy.yaml'), policy);
  ends.push(() => local.end('SIGTERM'));
  await local.start();
  const keyIds = Array.from({ length: count }, (_, index) => `team/key-${index + 1}`);
  for (const keyId of keyIds) {
    await local.ask('key.register', { facts: factsOf(keyId, ['app']) });
    await local.ask('key.mint', { keyId });
  }
  for (const keyId of keyIds) await until(async () => (await show(local, keyId)).state === 'active');
  const seen = new Map(keyIds.map((keyId) => [keyId, new Map<string, string>()]));
  const stage = { local, vendor, workspace, keyIds, seen };
  const consumer = startConsumer(stage);
  ends.push(() => consumer.stop());
  ends.push(keepWorking(stage, consumer));
  return stage;
}

function startConsumer({ local, workspace, seen }: Stage): RekeyConsumer {
  const http = { url: `http://127.0.0.1:${local.port}`, token: () => readFile(join(local.folder, 'consumers', 'app.token'), 'utf8') };
  const read = async (keyId: string) => {
    const value = await readFile(join(workspace, 'values', keyId), 'utf8');
    seen.get(keyId)?.set(createHash('sha256').update(value).digest('hex'), value);
    return value;
  };
  const consumer = rekeyConsumer({ name: 'app', feed: httpFeed(http), receipts: httpReceipts(http), read });
  consumer.start();
  return consumer;
}

/** Uses every key at the vendor all the time; the vendor's log tells whether it was refused. */
function keepWorking({ vendor, keyIds }: Stage, consumer: RekeyConsumer): () => Promise<void> {
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      for (const keyId of keyIds) {
        await consumer
          .withKey(keyId, async (value) => {
            const response = await fetch(`${vendor.url}/v1/work`, { headers: { authorization: `Bearer ${value}` } });
            await response.text();
            if (response.status === 401) throw new KeyRefused('refused');
          })
          .catch(() => undefined);
        await pause(20);
      }
    }
  })();
  return async () => {
    stopped = true;
    await loop;
  };
}

async function killAt(
  { local, vendor }: Stage,
  keyId: string,
  moment: Moment,
  start: (local: LocalProcess, keyId: string) => Promise<unknown>,
): Promise<void> {
  const events = (await history(local, keyId)).length;
  // Other keys are still being brought to their end by what was killed before.
  const own = `/principals/${principalOf(keyId)}/`;
  const calls = () => vendor.log().filter(({ operation, path }) => operation === moment.call && path.includes(own)).length;
  const called = calls();
  if (moment.fault) vendor.fault({ ...moment.fault, count: 1, ms: 60_000 });
  const begun = start(local, keyId).catch(() => undefined);
  await until(async () => {
    if (moment.state) return (await show(local, keyId)).state === moment.state;
    if (moment.call) return calls() > called;
    return (await history(local, keyId)).slice(events).some(({ event, detail }) => {
      return event === moment.event && Object.entries(moment.detail ?? {}).every(([field, text]) => detail[field] === text);
    });
  });
  await local.end('SIGKILL');
  vendor.clearFaults();
  await begun;
}

function revoke(local: LocalProcess, keyId: string): Promise<unknown> {
  return local.ask('revoke', { keyId, reason: 'a test', source: 'repository' });
}

/** An attempt of the last operation may still be under way right after a start: the request is repeated until it is taken. */
async function begin(local: LocalProcess, keyId: string): Promise<void> {
  await until(async () => {
    try {
      await local.ask('rotate', { keyId, reason: 'a test' });
      return true;
    } catch (error) {
      if ((error as Error).name === 'E_TOO_SOON') return false;
      throw error;
    }
  });
}

/** The operation is over, the vendor accepts what the destination holds, and nothing else of this key. */
async function ended({ local, vendor, workspace, seen }: Stage, keyId: string, revoked: boolean): Promise<void> {
  await until(async () => {
    const { state, operation } = await show(local, keyId);
    return state === 'active' && operation === null;
  });
  const principal = principalOf(keyId);
  // What a lost answer left behind at the vendor is the reconciler's: it has its bound to end it.
  await until(async () => {
    const { current, versions } = await show(local, keyId);
    const own = versions.find(({ number }) => number === current)?.credentialId;
    return JSON.stringify((await listed(vendor, principal)).filter(({ enabled }) => enabled).map(({ id }) => id)) === JSON.stringify([own]);
  });
  const shown = await show(local, keyId);
  expect(shown.auditBreak).toBeNull();
  const held = await readFile(join(workspace, 'values', keyId), 'utf8');
  const whoami = await ask(vendor, '/v1/whoami', held);
  expect(whoami.status).toBe(200);
  expect(whoami.body).toMatchObject({ principal, keyId: shown.versions.find(({ number }) => number === shown.current)?.credentialId });
  for (const value of seen.get(keyId)?.values() ?? []) {
    if (value !== held) expect((await ask(vendor, '/v1/whoami', value)).status).toBe(401);
  }
  if (revoked) expect(shown.versions.filter(({ compromised }) => compromised).map(({ number }) => number)).toContain(1);
  for (const version of shown.versions) {
    if (version.compromised) expect(['disabled', 'destroyed']).toContain(version.state);
  }
}

const principalOf = (keyId: string) => keyId.replaceAll('/', '-');
const show = (local: LocalProcess, keyId: string) => local.ask<Shown>('key.show', { keyId });
const history = (local: LocalProcess, keyId: string) => local.ask<AuditEntry[]>('key.history', { keyId });

async function listed(vendor: Vendor, principal: string): Promise<{ id: string; enabled: boolean }[]> {
  const { body } = await ask(vendor, `/v1/principals/${principal}/keys`, vendor.adminKey.reveal());
  return (body as { keys: { id: string; enabled: boolean }[] }).keys;
}

async function ask(vendor: Vendor, path: string, bearer: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(vendor.url + path, { headers: { authorization: `Bearer ${bearer}` } });
  return { status: response.status, body: await response.json() };
}

/** Looks again and again, for a minute and a half at most: every operation ends under finitely many faults, or the test fails. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 90_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('it did not come to an end');
    await pause(4);
  }
}
