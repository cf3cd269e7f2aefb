import { overrideConfirm } from '../../core/adoption.ts';
import { RekeyError } from '../../core/errors.ts';
import { clearHold, setHold } from '../../core/hold.ts';
import type { Ports } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { type RevokeInput, revoke } from '../../core/revoke/begin.ts';
import { findLeaked } from '../../core/revoke/find.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { Value } from '../../core/value.ts';
import type { KeyRecord, Request } from './oracle.ts';
import type { RequestKind } from './plan.ts';
import type { Scene } from './scene.ts';
import { settings } from './settings.ts';
import { sleep } from './worker.ts';

type Asked = { readonly operationId?: string } | undefined;
type Ask = (ports: Ports, record: KeyRecord, request: Request, scene: Scene) => Promise<Asked>;

const revokes =
  (input: (record: KeyRecord) => Partial<RevokeInput>): Ask =>
  (ports, record, request) => {
    const base = { keyId: record.facts.id, scope: 'all', reason: 'leaked', source: 'repository', requestId: request.requestId } as const;
    return revoked(ports, record, request, { ...base, ...input(record) });
  };

/** Revokes, and looks whether the provider was told within the request, or the answer says that it could not be. */
async function revoked(ports: Ports, record: KeyRecord, request: Request, given: RevokeInput): Promise<Asked> {
  request.input ??= given;
  const { input } = request;
  const isEnabled = (id: string) => record.provider.credentials().some(({ credentialId, enabled }) => enabled && credentialId === id);
  // Sent again, the request is still about what there was when it was sent first.
  request.covers ??= [...record.versions.values()].filter(
    ({ number, credentialId }) => credentialId && isEnabled(credentialId) && (input.scope === 'all' || input.scope.includes(number)),
  );
  const answer = await revoke(ports, input, request.actor);
  const tried = new Set(answer.versions.filter(({ firstDisable }) => firstDisable === 'failed').map(({ number }) => number));
  request.untold = request.covers
    .filter(
      ({ number, credentialId }) =>
        !tried.has(number) && isEnabled(String(credentialId)) && !record.byHand.enabled.has(String(credentialId)),
    )
    .map(({ credentialId }) => String(credentialId));
  return answer;
}

const withRole = ({ versions }: KeyRecord, role: string): readonly number[] =>
  [...versions.values()].filter((version) => version.role === role).map(({ number }) => number);

const orAll = (numbers: readonly number[]): RevokeInput['scope'] => (numbers.length ? numbers : 'all');

/** What each planned request asks of the product, through the same functions as its doors. */
const asks: Readonly<Record<RequestKind, Ask>> = {
  rotate: (ports, { facts }, { actor, requestId }) =>
    beginRotation(ports, { keyId: facts.id, reason: 'asked for', trigger: requestId }, actor),
  'take back': (ports, { facts }, { actor }) => requestRollback(ports, { keyId: facts.id, reason: 'wrong day' }, actor),
  'revoke everything': revokes(() => ({})),
  'revoke current': revokes((record) => ({ scope: orAll(withRole(record, 'current')) })),
  'revoke previous': revokes((record) => ({ scope: orAll(withRole(record, 'previous')) })),
  'revoke, source unknown': revokes(() => ({ source: 'unknown' })),
  'report a leak': async (ports, record, request, { oracle, choose }) => {
    const own = [...oracle.credentialOf].filter(([, id]) => record.provider.credentials().some(({ credentialId }) => credentialId === id));
    const [text] = own[choose.below(Math.max(1, own.length))] ?? [];
    const found = text && (await findLeaked(ports, new Value(text)));
    if (!found) return undefined;
    const input = {
      keyId: found.keyId,
      scope: [found.version],
      reason: 'found',
      source: 'repository',
      requestId: request.requestId,
    } as const;
    return revoked(ports, record, request, input);
  },
  hold: async (ports, { facts }, { actor }) => {
    await setHold(ports, { keyId: facts.id, reason: 'release week', until: new Date(Date.now() + 30_000).toISOString() }, actor);
    return undefined;
  },
  'end the hold': async (ports, { facts }, { actor }) => {
    await clearHold(ports, { keyId: facts.id, reason: 'over' }, actor);
    return undefined;
  },
  'confirm for a service': async (ports, { facts }, { actor }) => {
    // The word of a person is only as good as the person: here only where there is nobody who could be cut off.
    if (facts.consumers.length === 0) await overrideConfirm(ports, { keyId: facts.id, consumer: '*', reason: 'nobody uses it' }, actor);
    return undefined;
  },
  'release the reissue': (ports, { facts }, { actor }) =>
    releaseReissue(ports, { keyId: facts.id, mistake: false, reason: 'cleaned up' }, actor),
  'close as a mistake': (ports, { facts }, { actor }) =>
    releaseReissue(ports, { keyId: facts.id, mistake: true, reason: 'a test key' }, actor),
  'change the facts': async (ports, { facts }, { actor }) => {
    await registerKey(ports, { ...facts, readers: ['auditor'] }, actor);
    return undefined;
  },
};

/** Asks, and asks again with the same request id when there is no answer, as a caller would. Never throws: what came of it is on record. */
export async function ask(scene: Scene, what: RequestKind, record: KeyRecord, number: number): Promise<void> {
  const requestId = `request-${number}`;
  const actor = `person-${number}`;
  const request: Request = {
    at: Date.now(),
    what,
    keyId: record.facts.id,
    actor,
    outcome: null,
    operationId: null,
    requestId,
    error: null,
    covers: null,
    untold: [],
    input: null,
  };
  scene.oracle.requests.push(request);
  scene.recorder.say(`${actor} asks: ${what} ${record.facts.id}`);
  for (let attempt = 0; attempt < 3; attempt++) {
    const answer = scene
      .run(what, null, (ports) => asks[what](ports, record, request, scene))
      .then(
        (begun) => {
          request.outcome = 'accepted';
          request.operationId = begun?.operationId || null;
          return true;
        },
        (error: Error) => {
          request.outcome = error.name === 'Refused' ? 'refused' : 'failed';
          request.error = error.name;
          scene.recorder.say(`${actor} hears: ${error.name} ${error instanceof RekeyError ? error.message.slice(0, 100) : ''}`);
          return error.name === 'Refused';
        },
      );
    if (await Promise.race([answer, sleep(settings.functionSeconds).then(() => false)])) return;
    await sleep(1);
  }
}
