import type { Key } from './key.ts';
import type { Credential } from './ports.ts';
import type { Version } from './version.ts';

/** The name a credential gets at a provider that has names: it marks the credential as ours and says which mint made it. */
export function labelOf(keyId: string, operationId: string, version: number, mint: number): string {
  return `${markerOf(keyId)}${operationId.slice(0, 20)}-${version}-${mint}`;
}

const markerOf = (keyId: string): string => `rekey-${keyId.replaceAll('/', '.')}-`;

/** Our marker, then a mint's name and nothing else: the id of one key may begin like another's. */
const isLabelOf = (keyId: string, label: string): boolean =>
  label.startsWith(markerOf(keyId)) && /^(rotate|revoke)-[a-z2-7]{13}-\d+-\d+$/.test(label.slice(markerOf(keyId).length));

/** The number of the version that a mint of ours was for, from the name that it gave the credential; undefined for any other name. */
export function versionOfLabel(keyId: string, label: string): number | undefined {
  return isLabelOf(keyId, label) ? Number(label.split('-').at(-2)) : undefined;
}

/** A credential at the provider, as the records see it (protocol.md §8). */
export type Attribution = 'recorded' | 'ours' | 'stranger';

/**
 * Whose credential it is. Recorded: a version has its id. Ours without a record: its label carries our marker, or the principal is
 * registered as exclusively ours. Everything else is a stranger, shown and never touched.
 */
export function attributionOf(key: Key, versions: readonly Version[], credential: Credential): Attribution {
  if (versions.some((version) => version.credentialId === credential.credentialId)) return 'recorded';
  if (isLabelOf(key.facts.id, credential.label ?? '')) return 'ours';
  // The label of another key's mint: never ours, whatever the principal.
  if (/^rekey-.+-(rotate|revoke)-[a-z2-7]{13}-\d+-\d+$/.test(credential.label ?? '')) return 'stranger';
  return key.facts.exclusive ? 'ours' : 'stranger';
}
