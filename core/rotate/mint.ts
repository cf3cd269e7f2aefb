import type { Attempt } from '../attempt.ts';
import { labelOf } from '../attribution.ts';
import { type EffectRecord, effect } from '../effect.ts';
import type { Write } from '../inventory.ts';
import { credentialItem, findVersion, fingerprintKey, putItem, versionItem } from '../items.ts';
import type { Credential, Provider } from '../ports.ts';
import { unprobed } from '../probing.ts';
import { after, instant } from '../time.ts';
import type { Value } from '../value.ts';
import { endingSince, moveVersion, type Version } from '../version.ts';

/** A credential as a create gives it. */
export type Minted = Awaited<ReturnType<Provider['create']>>;

/** Whether the vendor has the new credential beside the old one, which then stays until it is told otherwise. */
export const keepsBoth = ({ traits: { pattern } }: Provider): boolean => pattern !== 'grace' && pattern !== 'replace';

/**
 * What a create made whose answer was lost, where the vendor can be asked: by the value that was supplied, or by the one credential that was
 * not there before and whose value the vendor shows.
 */
export async function findLost(
  attempt: Attempt,
  provider: Provider,
  listed: readonly Credential[],
  created: EffectRecord,
  token: string,
): Promise<Minted | undefined> {
  const { ports, keyId, subject } = attempt;
  if (provider.find) {
    const value = await ports.secrets.read(keyId, token);
    const credentialId = value && (await provider.find(subject, value));
    return credentialId && value ? { credentialId, value } : undefined;
  }
  const before = created.facts['before'];
  const [one, ...others] = listed.filter(({ credentialId }) => Array.isArray(before) && !before.includes(credentialId));
  const value = provider.read && one && others.length === 0 ? await provider.read(subject, one.credentialId) : undefined;
  return value && one ? { credentialId: one.credentialId, value } : undefined;
}

/** Creates the version's credential, or takes over the one that an earlier attempt lost sight of, and stores its value. */
export async function mint(
  attempt: Attempt,
  version: Version,
  listed: readonly Credential[],
  token: string,
  lost: Minted | undefined,
): Promise<{ version: Version; value: Value }> {
  const { ports, operation, subject } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  const createdAt = instant(ports.clock.now());
  const empty: Version = { ...version, createdAt, probes: null, token: null, credentialId: null };
  const supplied = await supply(attempt, version.token === token ? { ...empty, token, fingerprints: version.fingerprints } : empty, token);
  const drafted = supplied?.version ?? empty;
  const ending = keepsBoth(provider) ? undefined : await endOfOld(attempt, provider);
  const created = await effect(
    attempt,
    {
      name: 'provider.create',
      target: String(version.number),
      mint: operation.mint,
      facts: { before: listed.map((credential) => credential.credentialId) },
      intent: { writes: [putItem(versionItem(attempt.keyId, drafted)), ...(ending?.writes ?? [])], set: ending?.set ?? {} },
    },
    () =>
      lost
        ? Promise.resolve(lost)
        : provider.create(subject, labelOf(attempt.keyId, operation.id, version.number, operation.mint), {
            ...(supplied && { value: supplied.value }),
            ...(ending?.at && { oldUntil: ending.at }),
          }),
    ({ credentialId }) => ({
      result: { credentialId },
      writes: [
        putItem(versionItem(attempt.keyId, { ...drafted, credentialId })),
        putItem(credentialItem(attempt.key.facts.provider, credentialId, attempt.keyId, version.number)),
      ],
      events: [{ event: 'version.created', detail: { version: version.number, credential: tail(credentialId) } }],
    }),
    // Fenced out: where nobody else can know this credential, it may only go. Where it can be found again, a newer attempt may have it.
    provider.traits.class === 'C' && !provider.read ? ({ credentialId }) => provider.delete(subject, credentialId) : undefined,
  );
  const minted = { ...drafted, credentialId: created.credentialId };
  return { version: supplied ? minted : await recordStored(attempt, minted, created.value, token), value: created.value };
}

/** The value that the vendor is to take from us, stored under this mint's token before the vendor hears of it; undefined where the vendor makes values. */
async function supply(attempt: Attempt, version: Version, token: string): Promise<{ version: Version; value: Value } | undefined> {
  const { ports, keyId } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  if (!provider.draw) return undefined;
  const known = await ports.secrets.read(keyId, token);
  if (known && version.token === token) return { version, value: known };
  const value = known ?? provider.draw(ports.randomId());
  return { version: await recordStored(attempt, version, value, token), value };
}

/**
 * Where the vendor ends the old version because a new one is created, that create is the point of no return: recorded with its intent, and the
 * old version with it. `grace`: at an instant that we name, twice the tier's longest overlap from now, so that a page at its cap still
 * leaves as long again; `replace`: at once.
 */
async function endOfOld(attempt: Attempt, provider: Provider) {
  const { ports, key, keyId, operation } = attempt;
  const now = instant(ports.clock.now());
  const at = provider.traits.pattern === 'grace' ? after(now, 2 * ports.policy.tiers[key.tier].overlapMaxSeconds) : now;
  const old = operation.kind === 'rotate' && operation.oldVersion ? await findVersion(ports, keyId, operation.oldVersion) : undefined;
  if (!old) return { at, writes: [], set: {} };
  const ending: Version = { ...unprobed(old), state: moveVersion(old.state, 'disabling'), ending: endingSince(old, now), endsAt: at };
  return { at, writes: [putItem(versionItem(keyId, ending))], set: { 'rotation.ponr': true } };
}

/** Stores the value under AWSPENDING and records its fingerprints; stored before by an attempt that died: the same version again. */
export async function recordStored(attempt: Attempt, version: Version, value: Value, token: string): Promise<Version> {
  const { ports, operation } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  const forms = [value, ...(provider.leakForms?.(value) ?? [])];
  const fingerprints = [...new Set(await Promise.all(forms.map((form) => ports.fingerprint(form))))];
  const stored: Version = { ...version, token, fingerprints };
  await effect(
    attempt,
    { name: 'secrets.put', target: String(version.number), mint: operation.mint },
    () => ports.secrets.put(attempt.keyId, token, value),
    () => ({
      writes: [
        putItem(versionItem(attempt.keyId, stored)),
        ...fingerprints.map(
          (mac): Write => ({
            do: 'put',
            item: { ...fingerprintKey(mac), keyId: attempt.keyId, version: version.number },
            when: [{ item: 'absent' }],
          }),
        ),
      ],
    }),
  );
  return stored;
}

/** The end of a vendor's id: enough to recognise it, too little to use it. */
export const tail = (credentialId: string): string => `…${credentialId.slice(-4)}`;
