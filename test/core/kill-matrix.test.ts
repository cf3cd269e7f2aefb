import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutOff } from '../../core/break-glass/cut.ts';
import { breakGlassIndex } from '../../core/break-glass/prepare.ts';
import type { Inventory, ItemKey } from '../../core/inventory.ts';
import { findVersion, getKey, metaKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { takeReports } from '../../core/reports/batch.ts';
import type { Report } from '../../core/reports/report.ts';
import type { Search } from '../../core/revoke/find.ts';
import { Value } from '../../core/value.ts';
import { adminCredentials } from '../../functions/deployed-secrets.ts';
import { answer } from '../../requests/answer.ts';
import { receiveReport } from '../../requests/senders/receive.ts';
import { beginsRotation, end, untilStep } from '../support/operations.ts';
import { githubAlert, githubSecret } from '../support/samples.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world({ reconciler: false });
  keyId = await adopted(w);
  // What its last drill showed is looked up on the way, and may not stand in it.
  const destinations = [{ id: 'drill', kind: 'memory', at: 'drill', environment: 'staging' }];
  const canary = testFacts({ id: 'canary/memory', canary: true, consumers: [], destinations, params: { principal: 'canary' } });
  await registerKey(w.ports, canary, 'test');
  await w.ports.inventory.update(metaKey(canary.id), { set: { state: 'active', current: 1 } });
  services(w, testFacts());
});
afterEach(() => end(w));

const down = () => Promise.reject(new TypeError('no answer'));

/** A port of which no call answers. */
const dead = <T extends object>(port: T): T =>
  new Proxy(port, { get: (target, name) => (typeof Reflect.get(target, name) === 'function' ? down : undefined) });

/** An inventory of which some calls do not answer. */
function partly(inventory: Inventory, broken: (call: string, key: ItemKey | undefined) => boolean): Inventory {
  return new Proxy(inventory, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const [first] = args;
        const key = typeof first === 'string' ? { pk: first, sk: '' } : Array.isArray(first) ? undefined : (first as ItemKey);
        if (!broken(String(name), key)) return member.apply(target, args);
        if (name === 'hints')
          return (async function* () {
            yield await down();
          })();
        return down();
      };
    },
  });
}

/** Throws at any look at it: a policy file that cannot be read or says nonsense. */
const unreadable = new Proxy(
  {},
  {
    get: () => {
      throw new TypeError('no policy');
    },
  },
) as Ports['policy'];

type Kill = (ports: Ports) => Ports | Promise<Ports>;

const kills: Readonly<Record<string, Kill>> = {
  'the fingerprint index': (ports) => ({
    ...ports,
    fingerprint: down,
    inventory: partly(ports.inventory, (call, key) => call === 'get' && key?.pk.startsWith('FP#') === true),
  }),
  'Step Functions': (ports) => ({ ...ports, executions: dead(ports.executions) }),
  'the secret store': (ports) => ({ ...ports, secrets: dead(ports.secrets) }),
  SNS: (ports) => ({ ...ports, notifier: dead(ports.notifier) }),
  'KMS: no value and no fingerprint can be opened or made': (ports) => ({ ...ports, secrets: dead(ports.secrets), fingerprint: down }),
  'the policy file': (ports) => ({ ...ports, policy: unreadable }),
  'the owner record': async (ports) => {
    await ports.inventory.update(
      { pk: `KEY#${keyId}`, sk: 'META' },
      { set: { 'facts.owner': '', 'facts.consumers': [], 'facts.incident': { contacts: [], reissue: 'automatic' } } },
    );
    return ports;
  },
  'the record of drills': (ports) => ({
    ...ports,
    inventory: partly(ports.inventory, (call, key) => call === 'list' && key?.pk === 'DRILLS'),
  }),
  'the record of reports': (ports) => ({
    ...ports,
    inventory: partly(ports.inventory, (call, key) => call === 'get' && /^(REPORTS|SENDER)#/.test(key?.pk ?? '')),
  }),
  'every index of the inventory': (ports) => ({ ...ports, inventory: partly(ports.inventory, (call) => call === 'hints') }),
  'every transaction of the inventory: only single updates go through': (ports) => ({
    ...ports,
    inventory: partly(ports.inventory, (call) => call === 'write'),
  }),
  'the provider’s list and its last-used': (ports) => ({
    ...ports,
    provider: (name) =>
      new Proxy(ports.provider(name), {
        get: (target, call) => (call === 'list' || call === 'lastUsed' ? down : Reflect.get(target, call)),
      }),
  }),
  destinations: (ports) => ({ ...ports, destination: (kind) => dead(ports.destination(kind)) }),
};
const everything: Kill = async (ports) => {
  let broken = ports;
  for (const kill of Object.values(kills)) broken = await kill(broken);
  return broken;
};

/** Without these a value leads nowhere: then the vendor's own id of it does. */
const withoutFingerprints: ReadonlySet<Kill | undefined> = new Set([
  kills['the fingerprint index'],
  kills['KMS: no value and no fingerprint can be opened or made'],
  everything,
]);

const textOf = async (): Promise<string> =>
  (await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? ''))?.reveal() ?? '';

const responder = { actor: 'responder', via: 'intake' } as const;

async function firstDisable(kill: Kill): Promise<void> {
  const leaked = withoutFingerprints.has(kill) ? 'cred-0001' : await textOf();
  const broken = await kill(w.ports);
  const { match } = (await answer(broken, 'revoke.find', { leaked }, responder)) as Search;
  expect(match).toMatchObject({ keyId, version: 1 });
  const answered = await answer(broken, 'revoke', { keyId, scope: [1], source: 'repository' }, responder);
  expect(answered).toMatchObject({ versions: [{ number: 1, firstDisable: 'disabled' }] });
  expect(w.provider.accepts('cred-0001')).toBe(false);
  expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', revocation: { step: 'disable' } });
}

/** The other door: a leak that GitHub found; or AWS, which names the id of the credential alone. */
async function reported(kill: Kill): Promise<void> {
  const value = await textOf();
  const warned: string[] = [];
  const broken = { ...(await kill(w.ports)), log: { ...w.ports.log, warn: (said: string) => void warned.push(said) } };
  const secretOf = async () => new Value(githubSecret);
  const named: Report = {
    ...{ source: 'leak', sender: 'aws-health', eventId: '1', confidence: 'verified', where: 'repository', own: false },
    ...{ subject: { provider: 'memory', credentialId: 'cred-0001' }, says: 'exposed', evidence: '', at: '' },
  };
  const taken = withoutFingerprints.has(kill)
    ? takeReports(broken, [named], { actor: 'sender:aws', budget: true })
    : receiveReport(broken, secretOf, 'github', githubAlert(value));
  // What cannot be put on record fails after the vendor was told: the sender sends it again.
  await taken.catch((error: Error) => expect(error).toBeInstanceOf(TypeError));
  expect(w.provider.accepts('cred-0001')).toBe(false);
  expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', revocation: { step: 'disable' } });
  if (unread.has(kill)) expect(warned).toContainEqual(expect.stringContaining('acts without'));
}

/** What a report asks before it acts, and does without. */
const unread: ReadonlySet<Kill | undefined> = new Set([
  kills['the policy file'],
  kills['every transaction of the inventory: only single updates go through'],
  kills['the record of reports'],
  everything,
]);

describe('INV-15 POL-R0: the first disable is made in the request, and refused values stay refused, with', () => {
  it.each(Object.entries(kills))('%s down', (_, kill) => firstDisable(kill));

  it.each(Object.entries(kills))('%s down, while a rotation waits for its consumers', async (_, kill) => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await firstDisable(kill);
  });

  it('all of them down at once', () => firstDisable(everything));

  it.each(Object.entries(kills))('%s down, where a leak is reported by who found it', (_, kill) => reported(kill));

  it('all of them down at once, where a leak is reported by who found it', () => reported(everything));

  it('the secret store down, and the provider’s admin credential loaded before: a warm function goes on with it', async () => {
    let up = true;
    const client = {
      send: async () => {
        if (up) return { SecretString: '{"apiKey":"of the vendor"}' };
        throw Object.assign(new Error('no answer'), { name: 'InternalServiceError', $fault: 'server', $metadata: { httpStatusCode: 500 } });
      },
    } as unknown as SecretsManagerClient;
    const admin = adminCredentials({ client, prefix: 'rekey/test/', callSeconds: 1 });
    const warm = await admin('vendor', 'default');
    up = false;
    await w.pass(3600);
    expect(await admin('vendor', 'default')).toBe(warm);
    await expect(admin('vendor', 'cold')).rejects.toMatchObject({ name: 'ProviderUnavailable' });
  });

  it('DynamoDB down: the request says so at once, and break-glass ends it with the provider alone', async () => {
    const entry = (await breakGlassIndex(w.ports, {})).keys.find((one) => one.keyId === keyId);
    const broken = { ...w.ports, inventory: partly(w.ports.inventory, () => true) };
    await expect(answer(broken, 'revoke', { keyId }, responder)).rejects.toBeInstanceOf(Error);
    expect(w.provider.accepts('cred-0001')).toBe(true);
    const ended = entry && (await cutOff(w.provider, entry, 'all', async () => undefined));
    expect(ended?.cuts).toMatchObject([{ version: 1, answer: 'disabled' }]);
    expect(w.provider.accepts('cred-0001')).toBe(false);
  });

  it('a fence that meets other writers is raised all the same: the update has no condition but that the key exists', async () => {
    const { update } = w.inventory;
    let conditions: unknown;
    Object.assign(w.inventory, {
      update: (async (key, change, when, permit) => {
        if (key.sk === 'META') conditions ??= when;
        return update(key, change, when, permit);
      }) satisfies Inventory['update'],
    });
    await answer(w.ports, 'revoke', { keyId }, responder);
    expect(conditions).toEqual([{ item: 'exists' }]);
  });
});
