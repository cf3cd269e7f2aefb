import { type Attempt, record } from '../attempt.ts';
import { challenges } from '../challenge.ts';
import { deliveryItem, withRoles } from '../delivery.ts';
import { dueOf } from '../due.ts';
import { effect } from '../effect.ts';
import { DestinationRefused, ProbeAgain, StoreConflict, VerificationFailed } from '../errors.ts';
import type { Write } from '../inventory.ts';
import { credentialItem, fingerprintKey, operationIdOf, putItem, uuidOf, versionItem } from '../items.ts';
import type { Key } from '../key.ts';
import type { Credential } from '../ports.ts';
import { probeOnce } from '../probing.ts';
import { releaseReissue } from '../revoke/release.ts';
import { holdsReissue } from '../revoke/scope.ts';
import { tail } from '../rotate/mint.ts';
import { instant } from '../time.ts';
import type { Value } from '../value.ts';
import { endingSince, moveVersion, type Version } from '../version.ts';
import type { Findings, Repair } from './repair.ts';

/**
 * Of a key that AWS Secrets Manager rotates (managedBy): a value in its secret that is not the version in use was put there by AWS. It becomes
 * the version in use, and the consumers are told; nothing is written to the secret and nothing is ended at the provider. A contained key's
 * reissue goes on by itself then, unless a responder has to release it.
 */
export async function followed({ ports, key, versions, listed }: Findings): Promise<Repair[]> {
  const [spec] = key.facts.destinations;
  const current = versions.find(({ number }) => number === key.current);
  if (!spec || !current?.token) return [];
  const value = await ports.destination(spec.kind).read(spec);
  if (!value) throw new DestinationRefused(`the secret of ${key.facts.id} holds nothing`);
  if ((await ports.secrets.read(key.facts.id, current.token))?.equals(value)) return [];
  return [
    async (attempt) => {
      const version = await take(attempt, value, versions, listed);
      return `version ${version} taken over from AWS Secrets Manager`;
    },
  ];
}

/**
 * What AWS no longer needs is dead when the provider has refused it as often in a row as its spec asks: from then on it is an ending version
 * like any other, whose death is proven and certified. One that is still accepted is AWS's to end.
 */
export async function outlived({ ports, key, versions, listed, now }: Findings): Promise<Repair[]> {
  const { traits } = ports.provider(key.facts.provider);
  const rest = versions.filter(({ number, state, token }) => state === 'live' && token && number !== key.current);
  return rest.map(
    (version): Repair =>
      async (attempt) => {
        const value = await ports.secrets.read(attempt.keyId, version.token as string);
        const probed = value && (await probeOnce(attempt, version, value).catch(unlessTooSoon));
        const isListed = listed.some(({ credentialId, enabled }) => enabled && credentialId === version.credentialId);
        if (probed?.verdict !== 'denied' || probed.count < traits.probe.denied || isListed) return `version ${version.number} probed`;
        const ending: Version = {
          ...probed.version,
          state: moveVersion('live', 'disabling'),
          ending: endingSince(version, now),
          endsAt: now,
        };
        await record(attempt, () => ({
          writes: [putItem(versionItem(attempt.keyId, ending))],
          events: [{ event: 'version.disabling', detail: { version: version.number, answer: 'ended by AWS Secrets Manager' } }],
        }));
        return `version ${version.number} ended by AWS Secrets Manager`;
      },
  );
}

function unlessTooSoon(error: Error): undefined {
  if (!(error instanceof ProbeAgain)) throw error;
}

/** Makes the value in the secret the version in use. Returns its number. */
async function take(attempt: Attempt, value: Value, versions: readonly Version[], listed: readonly Credential[]): Promise<number> {
  const { ports, key, keyId, subject } = attempt;
  const provider = ports.provider(key.facts.provider);
  const forms = [value, ...(provider.leakForms?.(value) ?? [])];
  const fingerprints = [...new Set(await Promise.all(forms.map((form) => ports.fingerprint(form))))];
  const before = versions.find((version) => version.fingerprints.some((mac) => fingerprints.includes(mac)));
  if (before) throw new StoreConflict(`the secret of ${keyId} holds version ${before.number} again`);
  const { verdict } = await provider.probe(subject, value);
  if (verdict === 'inconclusive') throw new ProbeAgain(`what the secret of ${keyId} holds is ${verdict}`);
  if (verdict === 'denied') throw new VerificationFailed(`the secret of ${keyId} holds a value that the provider refuses`);
  const credentialId = provider.credentialIdOf?.(value) ?? (await provider.find?.(subject, value)) ?? newIn(listed, versions, keyId);
  const token = uuidOf('followed', keyId, fingerprints[0] ?? '');
  await effect(attempt, { name: 'secrets.put', target: token }, () => ports.secrets.put(keyId, token, value));
  const { number, held } = await recordTaken(attempt, { credentialId, token, fingerprints }, versions);
  const { AWSCURRENT: holder = null } = await ports.secrets.labels(keyId);
  await effect(attempt, { name: 'secrets.promote', target: String(number) }, () => ports.secrets.promote(keyId, token, holder));
  if (held) await releaseReissue(ports, { keyId, mistake: false, reason: 'AWS Secrets Manager has rotated it' }, 'reconciler');
  return number;
}

/** The one enabled credential that no version has. A value that does not say whose it is can only be that of this one. */
function newIn(listed: readonly Credential[], versions: readonly Version[], keyId: string): string {
  const [one, ...others] = listed.filter(
    ({ credentialId, enabled }) => enabled && !versions.some((version) => version.credentialId === credentialId),
  );
  if (one && others.length === 0) return one.credentialId;
  throw new VerificationFailed(`${others.length + (one ? 1 : 0)} credentials at the provider could be what the secret of ${keyId} holds`);
}

async function recordTaken(
  attempt: Attempt,
  found: Pick<Version, 'credentialId' | 'token' | 'fingerprints'>,
  versions: readonly Version[],
): Promise<{ number: number; held: boolean }> {
  const { ports, keyId, key } = attempt;
  const now = instant(ports.clock.now());
  const number = key.lastVersion + 1;
  const [spec] = key.facts.destinations;
  const version = versionOf(key, number, found, now);
  const made = { current: number, lastVersion: number, currentMadeAt: now };
  const isActive = key.state === 'active';
  const operationId = operationIdOf('rotate', keyId, `followed|${number}`);
  const places = key.facts.destinations.map(({ id, kind, at }) => ({ id, kind, at }));
  await record(attempt, (fresh) => ({
    set: {
      ...made,
      nextDueAt: dueOf({ ...fresh, ...made }, ports.policy),
      ...(isActive ? { dueBecause: 'interval', dueNow: null } : {}),
    },
    writes: [
      putItem(versionItem(keyId, version)),
      ...withRoles(versions, number, isActive ? (key.current ?? 0) : 0).map((one) => putItem(versionItem(keyId, one))),
      ...(found.credentialId ? [putItem(credentialItem(key.facts.provider, found.credentialId, keyId, number))] : []),
      ...(spec ? [deliveryItem(attempt, spec, version, now, undefined)] : []),
      ...found.fingerprints.map(
        (mac): Write => ({ do: 'put', item: { ...fingerprintKey(mac), keyId, version: number }, when: [{ item: 'absent' }] }),
      ),
    ],
    // A contained key's consumers are told by its reissue.
    notices: isActive
      ? challenges(ports, { ...fresh, ...made }, operationId, {
          type: 'key.issued',
          severity: 'info',
          data: { action: 'refresh', version: number, destinations: places },
        })
      : [],
    events: [{ event: 'version.followed', detail: { version: number, credential: tail(found.credentialId ?? '') } }],
  }));
  return { number, held: !isActive && mayGoOn(key) };
}

/** Whether nothing but AWS's rotation kept the reissue of a contained key waiting. */
function mayGoOn({ facts, revocation, offboard }: Key): boolean {
  return !offboard && facts.mode === 'live' && facts.incident.reissue === 'automatic' && !holdsReissue(revocation?.requests ?? []);
}

function versionOf({ facts }: Key, number: number, found: Pick<Version, 'credentialId' | 'token' | 'fingerprints'>, now: string): Version {
  return {
    ...{ number, state: 'live', role: 'current', compromised: false },
    ...found,
    ...{ scopes: facts.scopes, environment: facts.environment },
    ...{ createdAt: now, liveAt: now, disabledAt: null, destroyedAt: null, probes: null },
  };
}
