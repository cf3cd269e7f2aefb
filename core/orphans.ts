import type { Attempt } from './attempt.ts';
import { attributionOf, orphansOf } from './attribution.ts';
import { effect } from './effect.ts';
import { listVersions, orphanKey, putItem } from './items.ts';
import { instant } from './time.ts';

/** Disables every enabled credential that is ours and has no record; the reconciler deletes it later. Returns how many enabled strangers there are: they are never touched. */
export async function disableOrphans(attempt: Attempt): Promise<number> {
  const { ports, subject, key, keyId } = attempt;
  const provider = ports.provider(key.facts.provider);
  const versions = await listVersions(ports, keyId);
  const listed = await provider.list(subject);
  const enabled = listed.filter((credential) => credential.enabled);
  for (const { credentialId } of orphansOf(provider, key, versions, listed).filter((one) => one.enabled)) {
    await effect(
      attempt,
      { name: 'provider.disable', target: `credential:${credentialId}` },
      () => provider.disable(subject, credentialId),
      () => ({
        writes: [putItem({ ...orphanKey(keyId, credentialId), foundAt: instant(ports.clock.now()) })],
        events: [{ event: 'orphan.disabled', detail: { credential: `…${credentialId.slice(-4)}` } }],
      }),
    );
  }
  return enabled.filter((one) => attributionOf(provider, key, versions, one) === 'stranger').length;
}
