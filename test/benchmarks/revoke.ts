import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConsumerEvent, rekeyConsumer } from '../../consumer/consumer.ts';
import { httpFeed, httpReceipts } from '../../consumer/http.ts';
import type { AuditEntry } from '../../core/audit.ts';
import type { Certificates } from '../../core/certificate.ts';
import type { Revoked } from '../../core/revoke/begin.ts';
import type { Search } from '../../core/revoke/find.ts';
import { routes } from '../../requests/routes.ts';
import { localFleet, side } from './local-fleet.ts';

/**
 * How fast a leaked string is dead: `npx node test/benchmarks/revoke.ts [revokes] [at once]`, 200 and 4 by default. The whole local product with
 * the sandbox vendor over HTTP, and one service that uses every key. Each revocation begins with the string alone; every interval is the
 * product's own stopwatch, from the moment the string was handed in. What happened before the disable is counted in the vendor's own log and in
 * the key's audit chain. Ends with 1 unless every key has its certificate and the disable was the first call of the vendor.
 */
const count = Number(process.argv[2] ?? 200);
const atOnce = Number(process.argv[3] ?? 4);
const service = 'bench';
const consumer = { name: service, owner: 'team-fleet', contact: 'bench@example.test', refreshSeconds: 1 } as const;
const fleet = await localFleet(count, [{ ...consumer, class: 'cached', proof: 'possession' }]);

const http = { url: fleet.url(), token: async () => fleet.token(service) };
const lost: ConsumerEvent[] = [];
const reader = rekeyConsumer({
  name: service,
  feed: httpFeed(http),
  receipts: httpReceipts(http),
  read: async (keyId) => fleet.delivered(keyId),
  onEvent: (event) => event.what === 'not moved' && lost.push(event),
});
reader.start();

interface Run {
  readonly seconds: ReadonlyMap<string, number>;
  /** Executed states, and calls of the vendor about this key, up to the disable; the disable is one of the calls. */
  readonly states: number;
  readonly calls: number;
  readonly certified: boolean;
}
const runs: Run[] = [];
const targets = new Map<string, number>();

async function revoke(keyId: string): Promise<void> {
  const leaked = fleet.delivered(keyId);
  const before = fleet.vendor.log().length;
  const reportedAt = new Date().toISOString();
  const { match } = await fleet.ask<Search>('revoke.find', { leaked });
  if (!match) throw new Error(`${keyId} was not found by its value`);
  const order = { keyId: match.keyId, scope: [match.version], source: 'repository', reason: 'a benchmark', reportedAt };
  const answered = await fleet.ask<Revoked>('revoke', order);
  if (answered.versions[0]?.firstDisable !== 'disabled') throw new Error(`${keyId}: ${answered.message}`);
  const ofKey = `/${keyId.replaceAll('/', '-')}/`;
  const digest = createHash('sha256').update(leaked).digest('hex');
  const log = fleet.vendor.log().slice(before);
  const calls = log.filter(({ path, valueSha256 }) => path.includes(ofKey) || valueSha256 === digest);
  const disabled = calls.findIndex(({ operation }) => operation === 'disable');
  for (;;) {
    const { stopwatch, certificates } = await fleet.ask<Certificates>('revoke.certificate', { keyId });
    if (stopwatch.length && stopwatch.every(({ seconds }) => seconds !== null)) {
      for (const { mark, targetSeconds } of stopwatch) targets.set(mark, targetSeconds);
      const events = await fleet.ask<AuditEntry[]>('key.history', { keyId });
      // By the vendor's own clock: the line of the first disable is written beside the execution that it precedes.
      const answeredAt = calls[disabled]?.at ?? '';
      const states = events.filter(({ actor, at }) => actor.startsWith('step:') && at > reportedAt && at < answeredAt).length;
      const seconds = new Map(stopwatch.map(({ mark, seconds: took }) => [mark, took ?? Number.NaN] as const));
      runs.push({ seconds, states, calls: disabled + 1, certified: certificates.some(({ version }) => version === match.version) });
      return;
    }
    await pause(500);
  }
}

const from = Date.now();
await side(fleet.ids, atOnce, revoke);
const took = (Date.now() - from) / 1000;
await reader.stop();
await fleet.stop();

/** The nearest-rank percentile. */
const percentile = (all: readonly number[], share: number): number =>
  [...all].sort((a, b) => a - b)[Math.max(0, Math.ceil(all.length * share) - 1)] ?? Number.NaN;
console.log(`${count} revocations from their leaked strings, ${atOnce} at once, in ${took.toFixed(0)} s; seconds since the report:`);
console.log(`  ${'until'.padEnd(10)}${'p50'.padStart(9)}${'p99'.padStart(9)}${'target'.padStart(9)}`);
for (const [mark, target] of targets) {
  const all = runs.map(({ seconds }) => seconds.get(mark) ?? Number.NaN);
  console.log(
    `  ${mark.padEnd(10)}${percentile(all, 0.5).toFixed(3).padStart(9)}${percentile(all, 0.99).toFixed(3).padStart(9)}${String(target).padStart(9)}`,
  );
}
const most = (of: (run: Run) => number) => Math.max(...runs.map(of));
/** What has to be running in the cloud for a string to be found and its disable to be sent. */
const functions = new Set(routes.filter(({ path }) => /^requests\/revoke\/revoke(\.find)?$/.test(path)).map(({ door }) => door));
console.log(
  `before the disable was answered, at most: ${most(({ states }) => states)} states, ${most(({ calls }) => calls)} provider call(s), the disable itself among them; in the cloud ${functions.size} function (${[...functions].join(', ')}) that may be cold`,
);
const certified = runs.filter((run) => run.certified).length;
console.log(`${certified} certificates; ${lost.length} moves of the service failed`);
process.exit(certified === count && most(({ calls }) => calls) === 1 && most(({ states }) => states) === 0 ? 0 : 1);
