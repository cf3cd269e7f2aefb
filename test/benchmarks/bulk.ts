import { setTimeout as pause } from 'node:timers/promises';
import type { AuditEntry } from '../../core/audit.ts';
import type { Bulk } from '../../core/bulk/bulk.ts';
import type { BulkProof } from '../../core/bulk/proofs.ts';
import { localFleet, side } from './local-fleet.ts';

/**
 * How long a bulk revocation takes against the vendor's rate: the whole local product with the sandbox vendor over HTTP, stopped twice on its
 * way, once while it disables and once while it proves. `npx node test/benchmarks/bulk.ts [keys]`, 2,000 by default. Ends with 1 unless every
 * key has its certificate, one revocation and one new version on record.
 */
const count = Number(process.argv[2] ?? 2000);
/** What the sandbox's spec says, less the share that is kept for single revocations. */
const callsPerSecond = 50;
const fleet = await localFleet(count);
const { ask, ids } = fleet;

const from = Date.now();
const order = { selector: { owner: 'team-fleet' }, count, reason: 'a benchmark', source: 'repository', requestId: 'benchmark-bulk-1' };
const { id } = await ask<Bulk>('bulk.begin', order);
const interruptions: ((bulk: Bulk) => boolean)[] = [({ disabled }) => disabled > count / 3, ({ started: running }) => running > count / 3];
let disabledAt = 0;
let bulk: Bulk;
do {
  const answer = await ask<{ bulk: Bulk; againSeconds: number }>('bulk.advance', { id });
  bulk = answer.bulk;
  if (bulk.phase !== 'disabling' && disabledAt === 0) disabledAt = Date.now();
  if (interruptions[0]?.(bulk)) {
    interruptions.shift();
    const cut = ask('bulk.advance', { id }).catch(() => undefined);
    await pause(150);
    await fleet.restart(cut);
    console.log(`stopped at ${bulk.disabled} disabled, ${bulk.started} running, ${bulk.proven} contained`);
  }
  if (bulk.phase !== 'done') await pause(Math.max(1, answer.againSeconds) * 1000);
} while (bulk.phase !== 'done');
const seconds = (Date.now() - from) / 1000;

const proofs: BulkProof[] = [];
for (let at: number | null = 0; at !== null; ) {
  const page: { proofs: BulkProof[]; next: number | null } = await ask('bulk.proofs', { id, from: at });
  proofs.push(...page.proofs);
  at = page.next;
}
let wrong = 0;
await side(ids, 8, async (keyId) => {
  for (let tries = 0; tries < 300; tries++) {
    const { state } = await ask<{ state: string }>('key.show', { keyId });
    if (state === 'active') break;
    await pause(1000);
  }
  const events = await ask<AuditEntry[]>('key.history', { keyId });
  const once = (event: string) => events.filter((entry) => entry.event === event).length === 1;
  const { versions } = await ask<{ versions: unknown[] }>('key.show', { keyId });
  if (!once('revocation.requested') || !once('revocation.closed') || versions.length !== 2) wrong += 1;
});
const created = fleet.vendor.log().filter(({ operation, status }) => operation === 'create' && status === 201).length;
const certified = proofs.filter(({ dead }) => dead.length === 1).length;
const budget = callsPerSecond * 0.8;
console.log(
  `${count} keys: fenced and disabled after ${((disabledAt - from) / 1000).toFixed(0)} s (the vendor's rate alone: ${(count / budget).toFixed(0)} s)`,
);
console.log(
  `all proven dead after ${seconds.toFixed(0)} s; ${certified} certificates, ${wrong} keys touched twice or not at all; ${created - count} mints were lost to the two stops and made anew`,
);
await fleet.stop();
process.exit(certified === count && wrong === 0 ? 0 : 1);
