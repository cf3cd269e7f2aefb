import { hashed } from './items.ts';
import type { Key } from './key.ts';
import type { Credential, Provider } from './ports.ts';
import type { Version } from './version.ts';

/**
 * The name a credential gets at a provider that has names: it marks the credential as ours and says which mint made it. At most 64
 * characters, the least that the vendors we know allow (Twilio).
 */
export function labelOf(keyId: string, operationId: string, version: number, mint: number): string {
  return `${markerOf(keyId)}${operationId.slice(0, 20)}-${version}-${mint}`;
}

/** A key's id that would make the label too long is shortened, and told apart by its hash. */
const markerOf = (keyId: string): string => {
  const name = keyId.replaceAll('/', '.');
  return `rekey-${name.length <= 28 ? name : `${name.slice(0, 15)}.${hashed(keyId, 12)}`}-`;
};

/** Our marker, then a mint's name and nothing else: the id of one key may begin like another's. */
const isLabelOf = (keyId: string, label: string): boolean =>
  label.startsWith(markerOf(keyId)) && /^(rotate|revoke)-[a-z2-7]{13}-\d+-\d+$/.test(label.slice(markerOf(keyId).length));

/** The number of the version that a mint of ours was for, from the name that it gave the credential; undefined for any other name. */
export function versionOfLabel(keyId: string, label: string): number | undefined {
  return isLabelOf(keyId, label) ? Number(label.split('-').at(-2)) : undefined;
}

/** A credential at the provider, as the records see it (protocol.md §8). */
export type Attribution = 'recorded' | 'ours' | 'stranger' | 'neighbour';

/**
 * Whose credential it is. Recorded: a version has its id. Ours without a record: its label carries our marker, or the principal is
 * registered as exclusively ours. Where the list shows everybody's credentials the others are neighbours, and none is ours for want of a
 * label. Everything else is a stranger. Strangers and neighbours are never touched; only strangers are worth a word.
 */
export function attributionOf(
  { traits }: Pick<Provider, 'traits'>,
  key: Key,
  versions: readonly Version[],
  credential: Credential,
): Attribution {
  if (versions.some((version) => version.credentialId === credential.credentialId)) return 'recorded';
  if (isLabelOf(key.facts.id, credential.label ?? '')) return 'ours';
  if (traits.shared) return 'neighbour';
  // Where there is one credential at a time, one without a record is the one in use: somebody's hand made it.
  if (traits.pattern === 'grace' || traits.pattern === 'replace') return 'stranger';
  // The label of another key's mint: never ours, whatever the principal.
  if (/^rekey-.+-(rotate|revoke)-[a-z2-7]{13}-\d+-\d+$/.test(credential.label ?? '')) return 'stranger';
  return key.facts.exclusive ? 'ours' : 'stranger';
}

/**
 * Our credentials without a record that may go now. A vendor that keeps the last enabled one alive lets go of ours, a stand-in or not, only
 * when there is another.
 */
export function orphansOf(
  provider: Pick<Provider, 'traits'>,
  key: Key,
  versions: readonly Version[],
  listed: readonly Credential[],
): Credential[] {
  const enabled = listed.filter((one) => one.enabled);
  return listed
    .filter((one) => attributionOf(provider, key, versions, one) === 'ours')
    .filter((one) => !(provider.traits.keepsOne && one.enabled && enabled.length === 1));
}
