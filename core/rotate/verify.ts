import { type Attempt, acquire, record } from '../attempt.ts';
import { attributionOf } from '../attribution.ts';
import { ProbeAgain, StoreConflict, VerificationFailed } from '../errors.ts';
import { findVersion, listVersions, putItem, versionItem } from '../items.ts';
import { recordPath } from '../operation.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { probeOnce, unprobed } from '../probing.ts';
import { instant } from '../time.ts';
import type { Version } from '../version.ts';

/**
 * Verify (protocol.md §6): the provider accepts the new version, as often in a row as its spec asks; it refuses a well-formed value
 * that was never issued, so that "accepts everything" is caught; and it lists the new credential. Reads only.
 * Throws VerificationFailed when the new version is refused or the provider accepts anything.
 */
export async function verify(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'verify');
  if (attempt === 'done') return {};
  const { keyId, operation, subject } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  const version = (await findVersion(ports, keyId, operation.newVersion)) as Version;
  const value = version.token ? await ports.secrets.read(keyId, version.token) : undefined;
  if (!value) throw new StoreConflict(`the secret store no longer holds version ${version.number} of ${keyId}`);

  const control = await provider.probe(subject, provider.neverIssued(ports.randomId()));
  if (control.verdict === 'alive') throw new VerificationFailed('the provider accepts a value that was never issued');
  if (control.verdict === 'inconclusive') throw new ProbeAgain(`the negative control is inconclusive: ${control.detail}`);
  const probed = await probeOnce(attempt, version, value);
  if (probed.verdict === 'denied' && probed.count >= provider.traits.probe.denied)
    throw new VerificationFailed(`the provider refuses version ${version.number}`);
  if (probed.verdict !== 'alive' || probed.count < provider.traits.probe.alive)
    throw new ProbeAgain(`version ${version.number} is ${probed.verdict}, ${probed.count} in a row`);
  const strangers = await compareWithList(attempt, version);

  const path = recordPath(operation);
  await record(attempt, () => ({
    set: {
      [`${path}.step`]: operation.kind === 'rotate' ? 'retire' : 'close',
      [`${path}.verifiedAt`]: instant(ports.clock.now()),
      ...(strangers ? { attention: strangerAttention(strangers, instant(ports.clock.now())) } : {}),
    },
    writes: [putItem(versionItem(keyId, unprobed(probed.version)))],
    events: [{ event: 'version.verified', detail: { operation: operation.id, version: version.number, strangers } }],
  }));
  return {};
}

/** What a person is told about credentials that nobody can explain. */
export function strangerAttention(count: number, since: string): { reason: string; message: string; since: string } {
  return {
    reason: 'UnattributedCredential',
    message: `the provider lists ${count} enabled credential(s) that Rekey did not make; they were not touched`,
    since,
  };
}

/** How many enabled strangers the provider lists. Throws ProbeAgain while the new credential is not listed as enabled. */
async function compareWithList(attempt: Attempt, version: Version): Promise<number> {
  const { ports, subject, key, keyId } = attempt;
  const provider = ports.provider(key.facts.provider);
  const listed = await provider.list(subject);
  const own = listed.find((credential) => credential.credentialId === version.credentialId);
  if (!own?.enabled) throw new ProbeAgain(`version ${version.number} is not listed as enabled yet`);
  const versions = await listVersions(ports, keyId);
  return listed.filter((credential) => credential.enabled && attributionOf(provider, key, versions, credential) === 'stranger').length;
}
