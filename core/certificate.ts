import type { Attempt } from './attempt.ts';
import type { Item, Write } from './inventory.ts';
import { attribute, certificateKey, getKey, operationKey, partition } from './items.ts';
import type { Revocation } from './key.ts';
import type { Credential, Ports } from './ports.ts';
import { type StopwatchMark, stopwatchOf } from './stopwatch.ts';
import type { Version } from './version.ts';

/** One look at a version after its death: with what answer, by whom. */
export interface Sighting {
  readonly at: string;
  /** The probe's verdict; `no value` where the secret store no longer has one to try. */
  readonly verdict: string;
  readonly answer: string;
  readonly listed: 'absent' | 'disabled' | 'enabled';
  readonly by: string;
}

/** What is on record of a version's death: what was tried, when, with what answer, by whom. */
export interface Certificate {
  readonly keyId: string;
  readonly version: number;
  readonly provider: string;
  readonly account: string;
  /** The end of the vendor's id. */
  readonly credential: string;
  readonly operationId: string;
  /** When the provider was first told to refuse it, and when it had been seen refused as often as asked. */
  readonly toldAt: string;
  readonly deadAt: string;
  readonly proof: string;
  /** Every probe since it was told, by its answer. */
  readonly tried: { readonly denied: number; readonly alive: number; readonly inconclusive: number };
  /** The refusals in a row that proved it; none where no value was ever stored. */
  readonly row: { readonly count: number; readonly from: string; readonly to: string; readonly answer: string };
  readonly listed: 'absent' | 'disabled';
  readonly by: string;
  /** Looks at it since, oldest first. */
  readonly watched: readonly Sighting[];
}

/** The certificate with what its operation has on record. */
export interface ShownCertificate extends Certificate {
  readonly sessionsEndedAt: string | null;
  /** Enabled credentials at the provider that nobody can explain, when the list was searched; null before that. */
  readonly strangers: number | null;
  /** When it is tried again; empty when it will not be. */
  readonly nextLooks: readonly string[];
}

/** Everything that is on record of how versions of a key died, and how long it took. */
export interface Certificates {
  readonly keyId: string;
  readonly certificates: readonly ShownCertificate[];
  /** Of the last of these operations that was a revocation. */
  readonly stopwatch: readonly StopwatchMark[];
}

/** The write that puts a certificate on record; the looks of an earlier one stay on it. */
export function certify(attempt: Attempt, version: Version, listed: Credential | undefined, proof: string): Write {
  const { keyId, key, operation, actor } = attempt;
  const { ending, probes, disabledAt, credentialId, number } = version;
  const row: NonNullable<Version['probes']> = probes ?? { verdict: 'none', count: 0, at: disabledAt ?? '' };
  const { denied = 0, alive = 0, inconclusive = 0 } = ending ?? {};
  const certificate: Omit<Certificate, 'watched'> = {
    keyId,
    version: number,
    provider: key.facts.provider,
    account: key.facts.account,
    credential: credentialId ? `…${credentialId.slice(-4)}` : 'none',
    operationId: operation.id,
    toldAt: ending?.since ?? '',
    deadAt: disabledAt ?? '',
    proof,
    tried: { denied, alive, inconclusive },
    row: { count: row.count, from: row.since ?? row.at, to: row.at, answer: row.answer ?? '' },
    listed: listed ? 'disabled' : 'absent',
    by: actor,
  };
  // An update, because what was seen of an earlier death is not this one's to forget.
  return {
    do: 'update',
    key: certificateKey(keyId, number),
    change: { set: { ...(attribute(certificate) as Item) }, append: { watched: [] } },
  };
}

/** The write that adds a look to a certificate. */
export function addSighting(keyId: string, number: number, sighting: Sighting): Write {
  return {
    do: 'update',
    key: certificateKey(keyId, number),
    change: { append: { watched: [attribute(sighting)] } },
    when: [{ item: 'exists' }],
  };
}

/** Whether a version has a certificate. */
export async function hasCertificate(ports: Ports, keyId: string, number: number): Promise<boolean> {
  return (await ports.inventory.get(certificateKey(keyId, number))) !== undefined;
}

/** The certificates of a key's versions. Throws Refused E_NOT_FOUND for a key that nobody registered. */
export async function showCertificates(ports: Ports, keyId: string): Promise<Certificates> {
  const key = await getKey(ports, keyId);
  const items = (await ports.inventory.list(partition(keyId), 'CERT#')).map(
    ({ pk: _pk, sk: _sk, ...item }: Item) => item as unknown as Certificate,
  );
  const certificates: ShownCertificate[] = [];
  let last: Revocation | undefined;
  for (const item of items) {
    const record = await revocationOf(ports, keyId, item.operationId, key.revocation);
    if (record && (!last || record.openedAt > last.openedAt)) last = record;
    const nextLooks = (key.watch ?? []).filter((one) => one.version === item.version).map(({ at }) => at);
    certificates.push({ ...item, sessionsEndedAt: record?.sessionsEndedAt ?? null, strangers: record?.strangers ?? null, nextLooks });
  }
  return { keyId, certificates, stopwatch: last ? stopwatchOf(last, ports.policy.tiers[key.tier].targets) : [] };
}

async function revocationOf(ports: Ports, keyId: string, operationId: string, open: Revocation | null): Promise<Revocation | undefined> {
  if (!operationId.startsWith('revoke-')) return undefined;
  if (open?.id === operationId) return open;
  return (await ports.inventory.get(operationKey(keyId, operationId))) as unknown as Revocation | undefined;
}
