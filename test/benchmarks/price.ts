/**
 * What AWS charges for one rotation, one revocation with its reissue, and one idle key for a month, at list prices:
 *   node test/benchmarks/price.ts [--json]
 * The product runs in memory with production's durations, its schedules with it, and every call that AWS would bill is counted where it leaves a port.
 * Not in it: log lines ($0.50 for a gigabyte), traces ($5 for a million), what the vendors' and the consumers' own side costs, and any discount.
 */
import { type Item, shardCount, type Write } from '../../core/inventory.ts';
import { getKey } from '../../core/items.ts';
import { tiers } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Ports } from '../../core/ports.ts';
import { productionSettings } from '../../core/settings.ts';
import { sweep } from '../../core/sweep.ts';
import { beginsRotation, revokes } from '../support/operations.ts';
import { readTemplate, testStack } from '../support/stack.ts';
import { adopted, consumerNamed, services, testFacts, type World, world } from '../support/world.ts';
import { type Bill, billed, dollars, type Standing, standingDollars, type Use } from './list-prices.ts';

const keyCount = 10_000;
const monthDays = 30;

/** Two consumers with a refresh of five minutes, two destinations: what toolchains call a typical service key. */
const facts = testFacts({
  environment: 'production',
  destinations: ['api', 'batch'].map((at) => ({ id: at, kind: 'memory', at, environment: 'production' })),
  consumers: ['api', 'batch'].map((name) => ({ ...consumerNamed(name), refreshSeconds: 300 })),
});

/** The series of metrics that got a value, by name and dimensions: of the stage, of a tier, of a provider of a tier. */
const series = new Set<string>();
/** What the indexes were asked, one partition at a time. */
let queries = 0;

/** Runs `work` on a fresh key and counts what it uses, without what it took to register the key. */
async function used(work: (w: World) => Promise<void>): Promise<Use> {
  const use: Use = { transitions: 0, invocations: 0, writeUnits: 0, readUnits: 0, secretCalls: 0, kmsRequests: 0, publishes: 0 };
  const w = world({
    settings: { ...productionSettings, stage: 'test' },
    policy: defaultPolicy,
    wrap: (ports) => counting(ports, use),
    onStep: () => {
      use.transitions++;
      use.invocations++;
    },
  });
  try {
    await adopted(w, facts);
    services(w, facts, { delaySeconds: 300 });
    await w.pass(300);
    for (const what of Object.keys(use) as (keyof Use)[]) use[what] = 0;
    await work(w);
    return { ...use };
  } finally {
    w.stop();
  }
}

/** The ports, with every call counted in the unit that AWS bills. */
function counting(ports: Ports, use: Use): Ports {
  const { inventory, secrets, notifier } = ports;
  const reads = (items: readonly (Item | undefined)[]) => {
    use.readUnits += Math.max(1, Math.ceil(bytes(items) / 4096));
  };
  const read = async (item: Item | undefined) => {
    reads([item]);
    return item;
  };
  return {
    ...ports,
    inventory: {
      ...inventory,
      get: async (key) => read(await inventory.get(key)),
      async list(pk, prefix) {
        const items = await inventory.list(pk, prefix);
        reads(items);
        return items;
      },
      // A transaction is charged twice: once to prepare and once to commit.
      write(writes, permit) {
        use.writeUnits += writes.reduce((sum, one) => sum + 2 * kilobytes(one), 0);
        return inventory.write(writes, permit);
      },
      async update(key, change, when, permit) {
        const item = await inventory.update(key, change, when, permit);
        use.writeUnits += kilobytes(item);
        return item;
      },
      hints(index, upTo, behind) {
        queries += shardCount;
        return inventory.hints(index, upTo, behind);
      },
    },
    secrets: calls(secrets, (name) => {
      use.secretCalls++;
      use.kmsRequests += { read: 1, put: 2 }[name] ?? 0;
    }),
    // A destination in Secrets Manager: describe, put and move a label to write; one call to read.
    destination: (kind) => {
      const inner = ports.destination(kind);
      return {
        ...inner,
        async write(spec, value, marker) {
          use.secretCalls += 3;
          use.kmsRequests += 2;
          await inner.write(spec, value, marker);
        },
        async read(spec) {
          use.secretCalls++;
          use.kmsRequests++;
          return inner.read(spec);
        },
      };
    },
    notifier: calls(notifier, () => use.publishes++),
    log: {
      ...ports.log,
      measure: (values, of = {}) => {
        const dimensions = [of.tier, of.provider].slice(0, of.tier ? 2 : 0).filter((value) => value !== undefined);
        for (const name of Object.keys(values))
          for (let count = 0; count <= dimensions.length; count++) series.add([name, ...dimensions.slice(0, count)].join(' '));
      },
    },
  };
}

function calls<Port extends object>(port: Port, count: (name: string) => void): Port {
  const wrapped = Object.entries(port).map(([name, part]) => [
    name,
    typeof part === 'function'
      ? (...given: unknown[]) => {
          count(name);
          return (part as (...given: unknown[]) => unknown)(...given);
        }
      : part,
  ]);
  return Object.fromEntries(wrapped) as Port;
}

/** An overlap of production lasts hours. */
const untilIdle = (w: World) =>
  w.until(async () => {
    const { rotation, revocation } = await getKey({ ...w.ports, inventory: w.inventory }, facts.id);
    return rotation === null && revocation === null;
  }, 24 * 3600);

const bytes = (what: unknown): number => Buffer.byteLength(JSON.stringify(what ?? ''));
const kilobytes = (what: Write | Item): number => Math.ceil(bytes(what) / 1024);

/** States that are no Task, on the way to a good end: Overlap and Rotated; Quiesce, Decide and Reissued. */
const otherStates = { rotation: 2, revocation: 3 };

const rotation = await used(async (w) => {
  await beginsRotation(w, facts.id);
  await untilIdle(w);
});
rotation.transitions += otherStates.rotation;
const revocation = await used(async (w) => {
  await revokes(w, facts.id);
  await untilIdle(w);
});
revocation.transitions += otherStates.revocation;
series.clear();
queries = 0;
// A day is enough: every day of an idle key is the same.
const day = await used(async (w) => {
  queries = 0;
  const { sweepSeconds } = productionSettings;
  for (let second = 300; second <= 86_400; second += 300) {
    await w.pass(300);
    for (const tier of tiers) if (second % sweepSeconds[tier] === 0) await sweep(w.ports, { tier });
  }
});
const idle = Object.fromEntries(Object.entries(day).map(([what, count]) => [what, count * monthDays])) as unknown as Use;

const bills: readonly Bill[] = [
  { what: 'one rotation', use: rotation, dollars: dollars(rotation) },
  { what: 'one revocation with its reissue', use: revocation, dollars: dollars(revocation) },
  { what: 'one idle key for a month', use: idle, dollars: dollars(idle) + billed.secretMonth },
];
const template = readTemplate(testStack());
const { sweepSeconds, reconcileSeconds } = productionSettings;
const monthSeconds = monthDays * 86_400;
const standing: Standing = {
  kmsKeys: template.ofType('AWS::KMS::Key').length,
  alarms: template.ofType('AWS::CloudWatch::Alarm').length,
  dashboards: template.ofType('AWS::CloudWatch::Dashboard').length,
  secrets: template.ofType('AWS::SecretsManager::Secret').length,
  metrics: series.size,
  readUnits: (queries / 2) * monthDays,
  firings: [reconcileSeconds, ...Object.values(sweepSeconds)].reduce((sum, seconds) => sum + monthSeconds / seconds, 0),
};
const fixed = standingDollars(standing);
const fleet = (bills[2]?.dollars ?? 0) * keyCount + fixed;

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ bills, standing, fixedMonth: fixed, keys: keyCount, fleetMonth: fleet }));
} else {
  for (const { what, use, dollars: price } of bills) {
    console.log(`${what}: $${price.toPrecision(3)}`);
    console.log(
      `  ${Object.entries(use)
        .map(([unit, count]) => `${unit} ${count}`)
        .join(', ')}`,
    );
  }
  console.log(`the stack itself for a month: $${fixed.toFixed(2)}`);
  console.log(
    `  ${Object.entries(standing)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')}`,
  );
  console.log(
    `${keyCount.toLocaleString('en')} idle keys for a month: $${fleet.toFixed(0)}, of which their secrets $${(billed.secretMonth * keyCount).toFixed(0)}`,
  );
}
