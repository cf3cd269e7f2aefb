import { attributionOf, versionOfLabel } from '../attribution.ts';
import type { Key } from '../key.ts';
import type { Credential, Ports, Provider } from '../ports.ts';
import { instant } from '../time.ts';
import type { Value } from '../value.ts';
import { isDead, isEnding, type Version } from '../version.ts';
import { laterState } from './join.ts';

/** Which version the key's consumers use, as the outside says it. */
export interface Found {
  readonly versions: readonly Version[];
  readonly current: number | null;
  /** The version that was made after the copy and has a record again, or null. */
  readonly recovered: number | null;
  /** Destinations that hold the current version. */
  readonly holding: readonly string[];
  /** Enabled, ours, and still without a record. */
  readonly orphans: readonly Credential[];
  /** What nobody can know without more than this; empty when all is clear. */
  readonly doubts: readonly string[];
}

/**
 * Finds the version in use, by the secret store's label and by what destinations hold, because a copy may know an older one. A version that
 * was minted after the copy was made gets its record back when its value is in the store, the provider accepts it, and exactly one
 * credential of ours can be it. What stays unclear is a doubt: then nothing of the key may be ended by itself.
 */
export async function findCurrent(ports: Ports, key: Key, known: readonly Version[], listed: readonly Credential[]): Promise<Found> {
  const label = (await ports.secrets.labels(key.facts.id))['AWSCURRENT'];
  const doubts: string[] = [];
  let versions = known;
  let current = key.current;
  let recovered: Version | undefined;
  const named = versions.find(({ token }) => token !== null && token === label);
  if (named) {
    // Only what every destination holds is named so, whatever the copy had heard of it.
    const live: Version = { ...named, state: laterState(named.state, 'live'), liveAt: named.liveAt ?? instant(ports.clock.now()) };
    versions = known.map((version) => (version.number === live.number ? live : version));
    current = live.number;
  } else if (label) {
    recovered = await recover(ports, key, known, listed, label);
    if (recovered) {
      versions = [...known, recovered];
      current = recovered.number;
    } else doubts.push('the secret store names a version in use that no record and no credential explains');
  }
  const inUse = versions.find(({ number }) => number === current);
  // What leaked and is not dead is about to be revoked; what is being revoked gets its successor from there.
  const stands = inUse !== undefined && (!isEnding(inUse.state) || (inUse.compromised && !isDead(inUse.state)));
  if (current !== null && !stands && !key.revocation)
    doubts.push(`version ${current}, the last one known in use, is dead, and no newer one is known`);
  const orphans = unrecorded(ports.provider(key.facts.provider), key, versions, listed);
  const { holding, unknown } = await lookAtDestinations(ports, key, versions, current);
  if (orphans.length > 0 && unknown.length > 0) doubts.push(`a version that no record knows was delivered to ${unknown.join(', ')}`);
  return { versions, current, recovered: recovered?.number ?? null, holding, orphans, doubts };
}

const unrecorded = (provider: Provider, key: Key, versions: readonly Version[], listed: readonly Credential[]): Credential[] =>
  listed.filter((one) => one.enabled && attributionOf(provider, key, versions, one) === 'ours');

async function recover(
  ports: Ports,
  key: Key,
  known: readonly Version[],
  listed: readonly Credential[],
  token: string,
): Promise<Version | undefined> {
  const { id: keyId, account, params } = key.facts;
  const provider = ports.provider(key.facts.provider);
  const value = await ports.secrets.read(keyId, token);
  if (!value) return undefined;
  const carried = provider.credentialIdOf?.(value);
  const candidates = unrecorded(provider, key, known, listed).filter(
    ({ credentialId }) => carried === undefined || carried === credentialId,
  );
  const [only] = candidates;
  if (!only || candidates.length > 1) return undefined;
  if ((await provider.probe({ keyId, account, params }, value)).verdict !== 'alive') return undefined;
  const now = instant(ports.clock.now());
  return {
    number: numberOf(key, known, only),
    state: 'live',
    role: 'current',
    compromised: false,
    credentialId: only.credentialId,
    token,
    fingerprints: await fingerprintsOf(ports, key, value),
    scopes: known.find(({ number }) => number === key.current)?.scopes ?? key.facts.scopes,
    environment: key.facts.environment,
    createdAt: only.createdAt ?? now,
    liveAt: now,
    disabledAt: null,
    destroyedAt: null,
    probes: null,
  };
}

/** The number in the credential's own name, unless it is taken: numbers are never used twice. */
function numberOf(key: Key, known: readonly Version[], { label = '' }: Credential): number {
  const named = versionOfLabel(key.facts.id, label);
  if (named !== undefined && !known.some(({ number }) => number === named)) return named;
  return Math.max(key.lastVersion, ...known.map(({ number }) => number)) + 1;
}

async function fingerprintsOf(ports: Ports, key: Key, value: Value): Promise<string[]> {
  const forms = [value, ...(ports.provider(key.facts.provider).leakForms?.(value) ?? [])];
  return [...new Set(await Promise.all(forms.map((form) => ports.fingerprint(form))))];
}

/** Destinations with the current version, and destinations with a value that no record knows. */
async function lookAtDestinations(ports: Ports, key: Key, versions: readonly Version[], current: number | null) {
  const holding: string[] = [];
  const unknown: string[] = [];
  for (const spec of key.facts.destinations) {
    const held = await ports.destination(spec.kind).read(spec);
    if (!held) continue;
    const mac = await ports.fingerprint(held);
    const version = versions.find(({ fingerprints }) => fingerprints.includes(mac));
    if (version?.number === current) holding.push(spec.id);
    if (!version) unknown.push(spec.id);
  }
  return { holding, unknown };
}
