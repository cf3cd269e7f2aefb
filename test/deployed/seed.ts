import { randomUUID } from 'node:crypto';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { encodeItem } from '../../adapters/aws/expression.ts';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { secretsManagerStore } from '../../adapters/aws/secret-store.ts';
import { secretsManagerDestination } from '../../adapters/destinations/secrets-manager.ts';
import { fingerprintWith } from '../../adapters/fingerprint.ts';
import { memoryDestination } from '../../adapters/memory/destination.ts';
import { memoryInventory } from '../../adapters/memory/inventory.ts';
import { memoryProvider } from '../../adapters/memory/provider.ts';
import { memorySecretStore } from '../../adapters/memory/secret-store.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { adoptVersion } from '../../core/adopt.ts';
import { getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Ports, Provider } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { schemaKey } from '../../core/schema.ts';
import { Value } from '../../core/value.ts';
import { secretNames } from '../../functions/secret-names.ts';
import { readInstallation } from '../../infra/installation.ts';
import { readKeyFile } from '../../requests/key-document.ts';
import type { Cloud } from './cloud.ts';
import { keyFile } from './key-file.ts';
import { secretValue } from './record.ts';

export interface SeededKey {
  readonly keyId: string;
  readonly dueAt: string;
  readonly due: boolean;
}

export interface Seed {
  /** Begins the ids of the keys: `journeys/<name>-1`. */
  readonly name: string;
  readonly tier: 'medium' | 'low';
  readonly count: number;
  /** How many of them are due. */
  readonly due: number;
}

const day = 86_400_000;
/** How many are seeded at a time: an emulator is one process. */
const atOnce = 6;
/** What one request to DynamoDB may write. */
const batch = 25;
/** Longer than a function's: nothing is proved by how soon a busy machine answers the seeding. */
const callSeconds = 30;

/**
 * Adopted keys in the table of the stage, by the product's own code: those that are due were taken over forty days ago and have real
 * values at the vendor, in the secret store and in the table; the others are taken over in twenty days, so that nothing looks at them
 * while the tests run, and their values exist in memory only. No door takes a key over under another clock.
 */
export async function seedKeys(cloud: Cloud, { name, tier, count, due }: Seed): Promise<SeededKey[]> {
  const ids = Array.from({ length: count }, (_, index) => `journeys/${name}-${index + 1}`);
  const all = ids.map((keyId) => ({ keyId, secret: `${cloud.stage}/${keyId.slice('journeys/'.length)}` }));
  const facts = all.map(({ keyId, secret }) => factsOf(cloud, keyId, tier, secret));
  const waiting = all.slice(0, due).map(({ secret }, index) => ({ secret, facts: facts[index]! }));
  const ports = await portsOf(cloud, -40 * day);
  const seeded: SeededKey[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await cloud.clients.secrets.send(new CreateSecretCommand({ Name: next.secret }));
      seeded.push({ keyId: next.facts.id, due: true, dueAt: await adopt(ports, next.facts) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return [...seeded, ...(await seedIdle(cloud, facts.slice(due)))];
}

/** Adopted in an inventory and at a vendor in memory, each at a vendor of its own; then their items are put into the table as they are. */
async function seedIdle(cloud: Cloud, facts: readonly KeyFacts[]): Promise<SeededKey[]> {
  const real = await portsOf(cloud, 20 * day);
  const inventory = memoryInventory();
  const secrets = memorySecretStore();
  const destination = memoryDestination('secrets-manager');
  const seeded: SeededKey[] = [];
  for (const [serial, one] of facts.entries()) {
    const vendor: Provider = memoryProvider({ name: 'sandbox', clock: real.clock, series: `${cloud.stage}-${serial}-` });
    const ports = { ...real, inventory, secrets, provider: () => vendor, destination: () => destination };
    seeded.push({ keyId: one.id, due: false, dueAt: await adopt(ports, one) });
  }
  let left = inventory
    .items()
    .filter(({ pk }) => pk !== schemaKey.pk)
    .map((item) => ({ PutRequest: { Item: encodeItem(item) } }));
  while (left.length > 0) {
    const RequestItems = { [cloud.table]: left.slice(0, batch) };
    const { UnprocessedItems = {} } = await cloud.clients.dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
    left = [...((UnprocessedItems[cloud.table] ?? []) as typeof left), ...left.slice(batch)];
  }
  return seeded;
}

async function adopt(ports: Ports, facts: KeyFacts): Promise<string> {
  await registerKey(ports, facts, 'deployed tests');
  const subject = { keyId: facts.id, account: facts.account, params: facts.params };
  const { credentialId, value } = await ports.provider(facts.provider).create(subject, `made by hand for ${facts.id}`);
  const token = randomUUID();
  await ports.secrets.put(facts.id, token, value);
  await adoptVersion(ports, { keyId: facts.id, token, credentialId }, 'deployed tests');
  return (await getKey(ports, facts.id)).nextDueAt as string;
}

function factsOf(cloud: Cloud, id: string, tier: Seed['tier'], secret: string): KeyFacts {
  const params = { principal: `${cloud.stage}-${id.slice('journeys/'.length)}` };
  const { keys } = readKeyFile(keyFile({ id, tier, provider: 'sandbox', params, secret }), 'key.yaml');
  const [row] = keys;
  if (!row) throw new Error(`the key file of ${id} was refused`);
  return row.facts;
}

/** The ports that a function has, for a process that runs the product's code under another clock. */
async function portsOf(cloud: Cloud, clockMs: number): Promise<Ports> {
  const { clients, stage } = cloud;
  const prefix = cloud.stack.outputs()['SecretPrefix'] ?? '';
  const { settings, policy, specs, privateHosts, authorities } = readInstallation(stage, cloud.stack.installation);
  const pepper = Buffer.from(await secretValue(cloud, secretNames.pepper(prefix)));
  const destination = secretsManagerDestination({ client: clients.secrets, callSeconds });
  const nobody = () => {
    throw new Error('seeding starts nothing and tells nobody');
  };
  return {
    inventory: dynamoInventory({ client: {}, table: cloud.table, callSeconds }),
    secrets: secretsManagerStore({
      client: clients.secrets,
      prefix: secretNames.keys(prefix),
      callSeconds,
      kmsKeyId: secretNames.encryptionAlias(stage),
    }),
    ...providers({
      specs,
      privateHosts,
      ...(authorities === undefined ? {} : { authorities }),
      native: [],
      admin: async () => ({ apiKey: new Value(cloud.vendor.adminKey.reveal()) }),
      callSeconds,
    }),
    destination: () => destination,
    notifier: { publish: async () => undefined },
    pager: { page: async () => undefined },
    executions: { start: nobody, state: nobody, succeed: nobody, fail: nobody },
    seals: { sign: nobody, publicKey: nobody, keep: nobody, read: nobody, last: nobody },
    clock: { now: () => Date.now() + clockMs },
    randomId: randomUUID,
    fingerprint: fingerprintWith(async () => pepper),
    log: { info() {}, warn() {}, error() {}, measure() {} },
    settings,
    policy,
  };
}
