import type { Key } from './key.ts';
import type { Credential } from './ports.ts';
import type { Version } from './version.ts';

/** The name a credential gets at a provider that has names: it marks the credential as ours and says which mint made it. */
export function labelOf(keyId: string, operationId: string, version: number, mint: number): string {
  return `${markerOf(keyId)}${operationId.slice(0, 20)}-${version}-${mint}`;
}

const markerOf = (keyId: string): string => `rekey-${keyId.replaceAll('/', '.')}-`;

/** A credential at the provider, as the records see it (protocol.md §8). */
export type Attribution = 'recorded' | 'ours' | 'stranger';

/**
 * Whose credential it is. Recorded: a version has its id. Ours without a record: its label carries our marker, or the principal is
 * registered as exclusively ours. Everything else is a stranger, shown and never touched.
 */
export function attributionOf(key: Key, versions: readonly Version[], credential: Credential): Attribution {
  if (versions.some((version) => version.credentialId === credential.credentialId)) return 'recorded';
  if (credential.label?.startsWith(markerOf(key.facts.id))) return 'ours';
  return key.facts.exclusive ? 'ours' : 'stranger';
}
