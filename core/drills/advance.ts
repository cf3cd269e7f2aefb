import { receive } from '../adoption.ts';
import { proofOf } from '../challenge.ts';
import { commit } from '../commit.ts';
import { Refused } from '../errors.ts';
import { attribute, findVersion, operationIdOf, operationKey, putItem } from '../items.ts';
import type { Key, Revocation, Rotation } from '../key.ts';
import { measuredOf } from '../metric.ts';
import { listNoticeRecords } from '../notice-record.ts';
import type { Ports } from '../ports.ts';
import { openKeyReview } from '../reviews/open.ts';
import { revoke } from '../revoke/begin.ts';
import { beginRotation } from '../rotate/begin.ts';
import { stopwatchOf } from '../stopwatch.ts';
import { after, instant, milliseconds } from '../time.ts';
import { drillConsumer, drillsPartition, runPrefix } from './canary.ts';
import type { Drill, DrillResult } from './drill.ts';

/** What a drill may take beside its tier's longest overlap and the target for restoring, in seconds; then it has failed, whatever still runs. */
const patienceSeconds = 3600;

/**
 * One look at a drill, from the records alone: the drill's own consumer answers where it is asked, the revocation begins when the rotation
 * has ended, and the result is written when the revocation has. Returns what was done, or null.
 */
export async function advanceDrill(ports: Ports, key: Key): Promise<string | null> {
  const { drill } = key;
  if (!drill) return null;
  const done = drill.stage === 'rotating' ? await rotating(ports, key, drill) : await revoking(ports, key, drill);
  if (done) return done;
  const { overlapMaxSeconds, targets } = ports.policy.tiers[key.tier];
  const late = after(drill.startedAt, overlapMaxSeconds + targets.restoreSeconds + patienceSeconds);
  return instant(ports.clock.now()) > late ? finish(ports, key, drill, ['it did not come to its end']) : null;
}

async function rotating(ports: Ports, key: Key, drill: Drill): Promise<string | null> {
  const keyId = key.facts.id;
  const operationId = operationIdOf('rotate', keyId, drill.id);
  if (key.rotation?.id === operationId) return answerFor(ports, key, operationId, key.rotation.newVersion);
  if (key.revocation && !key.revocation.requests.some(({ requestId }) => requestId === drill.id))
    return finish(ports, key, drill, [`${key.revocation.id} took the canary`]);
  if (key.revocation) return goOn(ports, key, drill, key.revocation.id);
  const ended = (await ports.inventory.get(operationKey(keyId, operationId))) as unknown as (Rotation & { outcome: string }) | undefined;
  if (!ended) return key.rotation ? null : begin(ports, keyId, drill);
  if (ended.outcome !== 'done')
    return finish(ports, key, drill, [`its rotation ended as ${ended.outcome}: ${ended.firstCause ?? 'unknown'}`]);
  const order = { keyId, scope: 'all', reason: `drill ${drill.id}`, source: 'none', requestId: drill.id, kind: 'drill' } as const;
  const { operationId: revocation } = await revoke(ports, order, drill.by);
  return goOn(ports, key, drill, revocation);
}

async function begin(ports: Ports, keyId: string, drill: Drill): Promise<string | null> {
  try {
    await beginRotation(ports, { keyId, reason: 'drill', trigger: drill.id }, drill.by);
    return 'drill: its rotation began';
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

async function goOn(ports: Ports, key: Key, drill: Drill, operationId: string): Promise<string> {
  await commit(ports, key.facts.id, (fresh) =>
    fresh.drill?.id === drill.id && fresh.drill.stage === 'rotating'
      ? {
          actor: 'reconciler',
          set: { drill: { ...fresh.drill, stage: 'revoking', operationId } },
          events: [{ event: 'drill.revoked', detail: { drill: drill.id, operation: operationId } }],
        }
      : null,
  );
  return 'drill: its revocation began';
}

async function revoking(ports: Ports, key: Key, drill: Drill): Promise<string | null> {
  const keyId = key.facts.id;
  const operationId = drill.operationId ?? '';
  if (key.revocation?.id === operationId) {
    if (!key.revocation.held) return null;
    return finish(ports, key, drill, [`its reissue is held: ${key.attention?.message ?? 'nobody said why'}`]);
  }
  const filed = (await ports.inventory.get(operationKey(keyId, operationId))) as unknown as Revocation | undefined;
  if (!filed) return finish(ports, key, drill, [`${operationId} is not on record`]);
  if (filed.healthyAt) return finish(ports, key, drill, []);
  return answerFor(ports, key, operationId, filed.newVersion ?? 0);
}

/**
 * What a consumer does when it is told: reads its destination, uses what it finds at the provider, and proves by it. Nothing is asked for
 * another time once it was proven. A value that is refused, or not there, is no answer: the next look tries again.
 */
async function answerFor(ports: Ports, { facts }: Key, operationId: string, version: number): Promise<string | null> {
  const { id: keyId, account, params, provider } = facts;
  const records = await listNoticeRecords(ports, keyId, operationId, drillConsumer);
  const open = records.find((one) => one.nonce !== '' && one.version === version && one.movedAt === '');
  if (!open || !(await findVersion(ports, keyId, version))) return null;
  const [spec] = facts.destinations;
  const value = spec && (await ports.destination(spec.kind).read(spec));
  if (!value) return null;
  const { verdict } = await ports.provider(provider).probe({ keyId, account, params }, value);
  if (verdict !== 'alive') return null;
  const { nonce } = open;
  const proof = proofOf(value, operationId, drillConsumer, nonce);
  try {
    await receive(ports, { keyId, operationId, version, outcome: 'moved', nonce, proof }, drillConsumer);
  } catch (error) {
    // It still holds the version before: not yet.
    if (error instanceof Refused) return null;
    throw error;
  }
  return `drill: works with version ${version}`;
}

async function finish(ports: Ports, key: Key, drill: Drill, failures: readonly string[]): Promise<string> {
  const keyId = key.facts.id;
  const result = await resultOf(ports, key, drill, failures);
  await commit(ports, keyId, (fresh) =>
    fresh.drill?.id === drill.id
      ? {
          actor: 'reconciler',
          set: { drill: null, drilled: result },
          writes: [
            putItem({
              pk: drillsPartition,
              sk: `${runPrefix(keyId)}${String(drill.number).padStart(8, '0')}`,
              ...(attribute(result) as object),
            }),
          ],
          events: [
            {
              event: 'drill.ended',
              detail: {
                drill: drill.id,
                passed: result.passed,
                failures: result.failures.join('; ').slice(0, 500),
                disableSeconds: result.disableSeconds ?? -1,
                restoreSeconds: result.restoreSeconds ?? -1,
              },
            },
          ],
        }
      : null,
  );
  const { passed, disableSeconds, restoreSeconds } = result;
  ports.log.measure(
    {
      ...(passed ? { drillsPassed: 1 } : { drillsFailed: 1 }),
      ...(disableSeconds === null ? {} : { drillDisableSeconds: disableSeconds }),
      ...(restoreSeconds === null ? {} : { drillRestoreSeconds: restoreSeconds }),
    },
    measuredOf(key),
  );
  if (!passed)
    await openKeyReview(ports, keyId, { kind: 'drill', trigger: drill.id, cause: result.failures.join('; ').slice(0, 500) }, 'reconciler');
  return `drill: ${passed ? 'passed' : 'failed'}`;
}

/** What came of it: failed by what was seen, by a target that was missed, or because its fault was never met, so that it showed nothing. */
async function resultOf(ports: Ports, key: Key, drill: Drill, seen: readonly string[]): Promise<DrillResult> {
  const { id: keyId, provider } = key.facts;
  const { id, number, by, fault, startedAt, operationId } = drill;
  const filed = operationId ? await ports.inventory.get(operationKey(keyId, operationId)) : undefined;
  const record = key.revocation?.id === operationId ? key.revocation : (filed as unknown as Revocation | undefined);
  const marks = record ? stopwatchOf(record, ports.policy.tiers[key.tier].targets) : [];
  const secondsTo = (wanted: string) => marks.find(({ mark }) => mark === wanted)?.seconds ?? null;
  const failures = [
    ...seen,
    ...marks.flatMap(({ mark, seconds, targetSeconds }) => {
      if (seconds === null) return seen.length ? [] : [`${mark} did not come`];
      return seconds > targetSeconds ? [`${mark} after ${Math.round(seconds)} s, due at ${targetSeconds} s`] : [];
    }),
    ...(drill.metAt ? [] : [`its fault, ${fault}, was never met`]),
  ];
  return {
    ...{ id, number, keyId, provider, by, fault, startedAt, endedAt: instant(ports.clock.now()) },
    ...{ passed: failures.length === 0, failures },
    rotateSeconds: record ? (milliseconds(record.openedAt) - milliseconds(startedAt)) / 1000 : null,
    disableSeconds: secondsTo('disabled'),
    deadSeconds: secondsTo('dead'),
    restoreSeconds: secondsTo('healthy'),
  };
}
