import { addSighting, hasCertificate, type Sighting } from '../certificate.ts';
import { commit } from '../commit.ts';
import type { Ports } from '../ports.ts';
import { revoke } from './begin.ts';

/**
 * A revoked version that had been proven dead was accepted, or is listed as enabled, again: what was seen goes on its certificate, and the
 * incident is open again under a new fence, until the version is proven dead once more. Throws InventoryUnavailable.
 */
export async function reopen(ports: Ports, keyId: string, version: number, sighting: Sighting): Promise<void> {
  const { at, verdict, listed } = sighting;
  const reason = `version ${version} had been proven dead and is ${listed === 'enabled' ? 'listed as enabled' : 'accepted'} again`;
  await revoke(
    ports,
    { keyId, scope: [version], reason, source: 'none', requestId: `alive-${version}-${at}`, alive: [version] },
    sighting.by,
  );
  const writes = (await hasCertificate(ports, keyId, version)) ? [addSighting(keyId, version, sighting)] : [];
  await commit(ports, keyId, () => ({
    actor: sighting.by,
    permit: 'toward dead',
    writes,
    events: [{ event: 'version.alive-again', detail: { version, verdict, listed } }],
  }));
}
