import type { Attempt } from './attempt.ts';
import { attributionOf } from './attribution.ts';
import { effect } from './effect.ts';
import { listVersions, orphanKey, putItem } from './items.ts';
import { instant } from './time.ts';

/** Disables every enabled credential that is ours and has no record; the reconciler deletes it later. Returns how many enabled strangers there are: they are never touched. */
export async function disableOrphans(attempt: Attempt): Promise<number> {
  const { ports, subject, key, keyId } = attempt;
  const provider = ports.provider(key.facts.provider);
  const versions = await listVersions(ports, keyId);
  const enabled = (await provider.list(subject)).filter((credential) => credential.enabled);
  for (const { credentialId } of enabled.filter((one) => attributionOf(key, versions, one) === 'ours')) {
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
  return enabled.filter((one) => attributionOf(key, versions, one) === 'stranger').length;
}
