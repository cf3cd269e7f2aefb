import { commit } from '../commit.ts';
import { Refused } from '../errors.ts';
import type { Change, Condition } from '../inventory.ts';
import { attribute, getKey, indexChange, keyOf, listVersions, metaKey, operationIdOf, operationKey } from '../items.ts';
import type { Key, Revocation, RevokeRequest } from '../key.ts';
import type { LeakSource } from '../leak-sources.ts';
import { measuredOf } from '../metric.ts';
import type { Ports } from '../ports.ts';
import { startExecution } from '../rotate/begin.ts';
import { instant, milliseconds } from '../time.ts';
import { isDead, type Version } from '../version.ts';
import { askAgain, markDead } from './dead-already.ts';
import { holdsReissue, inScope } from './scope.ts';

/** What a revocation's record says until somebody gives the reason. */
export const notSaid = 'not said yet';

export interface RevokeInput {
  readonly keyId: string;
  /** Every version that is not dead, or the ones that leaked. */
  readonly scope: 'all' | readonly number[];
  readonly reason: string;
  readonly source: LeakSource;
  readonly requestId: string;
  /** When it was reported, where that was earlier (ISO instant); what is in the future, or long past, does not count. */
  readonly reportedAt?: string;
  /** Versions in scope that were proven dead, and were seen accepted or enabled again: no record of their death counts any more. */
  readonly alive?: readonly number[];
  /** The reissue waits for a responder, whatever the source. */
  readonly hold?: boolean;
  /** No emergency: see RevokeRequest. */
  readonly kind?: 'planned' | 'drill' | 'bulk';
  /** `later`: somebody else starts the execution, when its turn comes; the reconciler is the net under them. */
  readonly execution?: 'now' | 'later';
}

export interface Revoked {
  readonly keyId: string;
  readonly operationId: string;
  readonly fence: number;
  /** Every version in scope had been proven dead before: nothing was disabled. */
  readonly alreadyDead: boolean;
  /** The first disable of each version in scope, made within this request. */
  readonly versions: readonly {
    readonly number: number;
    readonly firstDisable: 'disabled' | 'gone' | 'failed';
    readonly detail?: string;
  }[];
  readonly workflow: 'started' | 'not started, the reconciler takes it up' | 'not needed';
  readonly message: string;
}

/**
 * Revokes versions of a key, in the caller's own request (protocol.md §5.3 and §7): one unconditional update raises the fence and shuts
 * every older attempt out; then the provider is told to disable; only then an execution is started. Needs the key to exist, the
 * inventory's update and the provider, and nothing else: no hold, owner, policy, index or notification is asked.
 * The same request id again is the same operation and the same answer; another request meets it in the same revocation.
 * Throws Refused E_NOT_FOUND, E_REQUEST_REUSED, InventoryUnavailable. A failed disable is in the answer, not an error: the workflow repeats it.
 */
export async function revoke(ports: Ports, input: RevokeInput, actor: string): Promise<Revoked> {
  const known = await getKey(ports, input.keyId);
  const before = await listVersions(ports, input.keyId);
  for (const number of input.scope === 'all' ? [] : input.scope) {
    if (!before.some((version) => version.number === number)) throw new Refused('E_NOT_FOUND', `${input.keyId} has no version ${number}`);
  }
  const wanted = inScope(before, [input.scope]);
  const operationId = operationIdOf('revoke', input.keyId, input.requestId);
  const filed = await ports.inventory.get(operationKey(input.keyId, operationId));
  refuseAnotherBody(input, filed ? (filed as unknown as Revocation) : known.revocation);
  if (filed) return ended(known, (filed as unknown as Revocation).id, wanted);
  const dead = !input.alive && before.length > 0 && wanted.every((version) => isDead(version.state));
  const found = dead && !known.revocation ? await askAgain(ports, known, wanted) : undefined;
  if (found && 'untried' in found) return alreadyDead(ports, known, input, wanted, found.untried, actor);
  return found ? contain(ports, known, { ...input, alive: found.alive }, wanted, actor) : contain(ports, known, input, wanted, actor);
}

async function contain(ports: Ports, known: Key, input: RevokeInput, wanted: readonly Version[], actor: string): Promise<Revoked> {
  const covered = wanted.length > 0 && wanted.every(({ number }) => known.revocation?.scope?.includes(number));
  if (covered && !input.alive) return join(ports, known, input, actor);

  const repeated = known.revocation?.requests.some((request) => request.requestId === input.requestId);
  const key = repeated ? known : await raiseFence(ports, input, actor);
  const revocation = key.revocation as Revocation;
  // What Disable has recorded as the scope of a request stands: the same request once more does not reach what was made since.
  const recorded = repeated ? revocation.scope : null;
  const versions = await firstDisables(ports, key, recorded ?? input.scope);
  const [started] = await Promise.all([
    input.execution === 'later' ? false : startExecution(ports, input.keyId, revocation.id, revocation.startSeq),
    stopTheWatch(ports, key, revocation, versions),
  ]);
  return answer(key, revocation.id, versions, started);
}

/** A request id names one request. Under the id of another, what this one asks for would be taken for done. */
function refuseAnotherBody({ keyId, requestId, scope, source }: RevokeInput, revocation: Revocation | null): void {
  const same = revocation?.requests.find((request) => request.requestId === requestId);
  if (!same || (String(same.scope) === String(scope) && same.source === source)) return;
  throw new Refused('E_REQUEST_REUSED', `the request id was used for another revocation of ${keyId}: send this one under an id of its own`);
}

function requestOf(ports: Ports, input: RevokeInput, actor: string): RevokeRequest {
  const { requestId, reason, scope, source, reportedAt, alive, hold, kind } = input;
  const now = ports.clock.now();
  const said = reportedAt ? milliseconds(reportedAt) : Number.NaN;
  return {
    requestId,
    actor,
    reason,
    at: instant(now),
    scope,
    source,
    ...(hold ? { hold } : {}),
    ...(kind ? { kind } : {}),
    ...(said < now && said > now - longestReportSeconds * 1000 ? { reportedAt: instant(said) } : {}),
    ...(alive ? { alive } : {}),
  };
}

/** A report is at most this old when it is acted on, in seconds; an older instant is a mistake and not a measure. */
const longestReportSeconds = 7 * 86_400;

/** When the provider had answered, for the stopwatch. Nothing waits for it and nothing fails by it. */
async function stopTheWatch(ports: Ports, key: Key, revocation: Revocation, versions: Revoked['versions']): Promise<void> {
  if (versions.length === 0 || versions.some(({ firstDisable }) => firstDisable === 'failed')) return;
  const now = instant(ports.clock.now());
  const answers = versions.map(({ number, firstDisable }) => `${number}:${firstDisable}`).join(' ');
  const line = { at: now, actor: 'request', event: 'revocation.first-disabled', detail: { operation: revocation.id, versions: answers } };
  const change: Change = {
    add: { pendingCount: 1 },
    append: { pending: [attribute(line)] },
    setIfMissing: { 'revocation.firstDisabledAt': now },
  };
  const when: Condition[] = [{ path: 'revocation.id', is: '=', value: revocation.id }];
  await ports.inventory
    .update(metaKey(key.facts.id), change, when, 'toward dead')
    .catch((error: Error) => ports.log.warn('the first disable was not timed', { key: key.facts.id, error: error.name }));
}

function answer(key: Key, operationId: string, versions: Revoked['versions'], started: boolean): Revoked {
  const failed = versions.filter((version) => version.firstDisable === 'failed');
  return {
    keyId: key.facts.id,
    operationId,
    fence: key.fence,
    alreadyDead: false,
    versions,
    workflow: started ? 'started' : 'not started, the reconciler takes it up',
    message: failed.length
      ? `the provider has not yet disabled version ${failed.map(({ number }) => number).join(', ')}; it is asked again until it does`
      : versions.length
        ? `the provider was told to refuse version ${versions.map(({ number }) => number).join(', ')}; the proof follows`
        : 'no version with a credential is on record: there was nothing to disable; look at what the provider lists',
  };
}

/**
 * A report about versions that an open revocation already ends: on record, disabled once more where they are not dead, and no new fence,
 * so that ten thousand reports of one leak neither restart it nor grow the key.
 */
async function join(ports: Ports, known: Key, input: RevokeInput, actor: string): Promise<Revoked> {
  const { id, startSeq } = known.revocation as Revocation;
  const versions = await firstDisables(ports, known, input.scope);
  const started = await startExecution(ports, input.keyId, id, startSeq);
  await commit(ports, input.keyId, ({ revocation }) => ({
    actor,
    permit: 'toward dead',
    // A source that holds the reissue must not get lost among the reports; one such request is enough.
    ...(revocation && holdsReissue([input]) && !holdsReissue(revocation.requests)
      ? { set: { 'revocation.requests': [...revocation.requests, requestOf(ports, input, actor)] } }
      : {}),
    events: [
      {
        event: 'revocation.joined',
        detail: { operation: id, request: input.requestId, reason: input.reason, source: input.source },
      },
    ],
  }));
  return answer(known, id, versions, started);
}

/** R0: one update, on no condition but that the key exists. What an older operation was doing stays on the key; the next transaction files it. */
async function raiseFence(ports: Ports, input: RevokeInput, actor: string): Promise<Key> {
  const now = instant(ports.clock.now());
  const request = requestOf(ports, input, actor);
  const line = {
    at: now,
    actor,
    event: 'revocation.requested',
    detail: {
      ...{ request: input.requestId, reason: input.reason, source: input.source, scope: String(input.scope) },
      ...(input.kind ? { kind: input.kind } : {}),
    },
  };
  const change: Change = {
    add: { fence: 1, pendingCount: 1, 'revocation.startSeq': 1 },
    // The reconciler looks at once: if this process dies here, it goes on from the record.
    set: { state: 'revoking', 'revocation.step': 'disable', ...indexChange(input.keyId, { look: now }).set },
    setIfMissing: { 'revocation.id': operationIdOf('revoke', input.keyId, input.requestId), 'revocation.openedAt': now },
    append: { pending: [attribute(line)], 'revocation.requests': [attribute(request)] },
  };
  const key = keyOf(await ports.inventory.update(metaKey(input.keyId), change, [{ item: 'exists' }], 'toward dead'));
  ports.log.measure({ revocationsStarted: 1 }, measuredOf(key));
  return key;
}

/**
 * R1: every version in scope, read after the fence, all at once. A version that was made since the fence was raised is the reissue's: a
 * request that was held up on its way may not end it.
 */
async function firstDisables(ports: Ports, key: Key, scope: RevokeInput['scope']): Promise<Revoked['versions'][number][]> {
  const { id: keyId, account, params } = key.facts;
  const versions = inScope(await listVersions(ports, keyId), [scope]).filter(
    ({ number, credentialId, state }) => number <= key.lastVersion && credentialId && state !== 'destroyed',
  );
  return Promise.all(
    versions.map(async ({ number, credentialId }) => {
      try {
        return {
          number,
          firstDisable: await ports.provider(key.facts.provider).disable({ keyId, account, params }, credentialId as string),
        };
      } catch (error) {
        return { number, firstDisable: 'failed' as const, detail: (error as Error).name };
      }
    }),
  );
}

/** The same request once more, after its revocation was closed: the same operation, nothing else. */
function ended(key: Key, operationId: string, versions: readonly Version[]): Revoked {
  const message = `this request was carried out: version ${versions
    .filter(({ compromised }) => compromised)
    .map(({ number }) => number)
    .join(', ')} is dead`;
  return { keyId: key.facts.id, operationId, fence: key.fence, alreadyDead: true, versions: [], workflow: 'not needed', message };
}

/** A report about versions that are dead already: nothing is disabled, and those that could not be tried just now are tried soon. */
async function alreadyDead(
  ports: Ports,
  key: Key,
  input: RevokeInput,
  versions: readonly Version[],
  untried: readonly number[],
  actor: string,
): Promise<Revoked> {
  const numbers = versions.map(({ number }) => number);
  await markDead(ports, input, numbers, untried, actor);
  const message = `version ${numbers.join(', ') || 'none'} was proven dead before; nothing had to be disabled`;
  const answered = { keyId: input.keyId, operationId: '', fence: key.fence, alreadyDead: true, versions: [] } as const;
  if (untried.length === 0) return { ...answered, workflow: 'not needed', message };
  return {
    ...answered,
    workflow: 'not started, the reconciler takes it up',
    message: `${message}; version ${untried.join(', ')} could not be tried just now and is tried again shortly`,
  };
}
