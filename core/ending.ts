import { type Attempt, record } from './attempt.ts';
import { certify } from './certificate.ts';
import { effect } from './effect.ts';
import { ProbeAgain, StillAccepted } from './errors.ts';
import type { Write } from './inventory.ts';
import { putItem, versionItem } from './items.ts';
import type { Credential } from './ports.ts';
import { probeOnce, unprobed } from './probing.ts';
import { instant, milliseconds } from './time.ts';
import { endingSince, isDead, moveVersion, type Version } from './version.ts';

/**
 * Tells the provider to refuse a version. Afterwards the version is disabling, never further: only probes prove it dead.
 * A credential the provider no longer knows is on the way to dead as well; the anomaly is on record.
 */
export async function disableVersion(attempt: Attempt, version: Version): Promise<Version> {
  const { ports, key, keyId, subject } = attempt;
  const { credentialId } = version;
  if (version.state === 'destroyed' && !version.aliveAt) return version;
  const ending = endingSince(version, instant(ports.clock.now()));
  // Proven dead before, and told again all the same: somebody may have enabled it since.
  const disabling: Version = isDead(version.state)
    ? { ...(version.aliveAt ? unprobed(version) : version), ending }
    : { ...unprobed(version), ending, state: moveVersion(version.state, 'disabling') };
  if (!credentialId) {
    await record(attempt, () => ({
      writes: [putItem(versionItem(keyId, disabling))],
      events: [{ event: 'version.disabling', detail: { version: version.number, credential: 'none' } }],
    }));
    return disabling;
  }
  await effect(
    attempt,
    { name: 'provider.disable', target: String(version.number), intent: { writes: [putItem(versionItem(keyId, disabling))] } },
    () => ports.provider(key.facts.provider).disable(subject, credentialId),
    (answer) => ({ result: { answer }, events: [{ event: 'version.disabling', detail: { version: version.number, answer } }] }),
  );
  return disabling;
}

/** A version that was just proven dead: its record, the proof in words, and the certificate of it, which is written with the record. */
export interface Death {
  readonly version: Version;
  readonly proof: string;
  readonly certificate: Write;
}

/** Answers that flicker ask for more of them in a row: twice as many after each acceptance that followed a refusal, up to this factor. */
const mostPatience = 4;

/**
 * Probes a disabling version once. Returns the version, dead, when the provider has refused it as often in a row as its spec asks and
 * does not list it as enabled. Throws StillAccepted (it was disabled again), or ProbeAgain.
 * A version whose value was never stored can only be judged by the list; the proof says so.
 */
export async function proveDead(attempt: Attempt, version: Version): Promise<Death> {
  const { ports, key, keyId, subject } = attempt;
  const provider = ports.provider(key.facts.provider);
  const listed = version.credentialId
    ? (await provider.list(subject)).find((credential) => credential.credentialId === version.credentialId)
    : undefined;
  const value = version.token ? await ports.secrets.read(keyId, version.token) : undefined;
  if (!value) {
    if (listed?.enabled) throw await stillAccepted(attempt, version, 'the provider lists it as enabled');
    if (version.token)
      throw new ProbeAgain(`the value of version ${version.number} is gone from the secret store: its death cannot be observed`);
    return unlistedLongEnough(attempt, version, listed);
  }
  // Stored before it was created, and nobody heard whether it was: the vendor knows.
  const found = version.credentialId ? undefined : await provider.find?.(subject, value);
  if (found) throw await stillAccepted(attempt, { ...version, credentialId: found }, 'the provider has a credential with its value');
  const probed = await probeOnce(attempt, version, value);
  if (probed.verdict === 'alive') throw await stillAccepted(attempt, probed.version, 'the provider accepted it');
  const denied = provider.traits.probe.denied * Math.min(mostPatience, 2 ** (probed.version.ending?.relapses ?? 0));
  if (probed.verdict !== 'denied' || probed.count < denied)
    throw new ProbeAgain(`version ${version.number} is ${probed.verdict}, ${probed.count} of ${denied} in a row`);
  if (listed?.enabled) throw await stillAccepted(attempt, probed.version, 'it is refused but listed as enabled');
  return dead(attempt, probed.version, listed, `refused ${probed.count} times in a row`);
}

/**
 * A value that nobody stored cannot be probed. What is no longer listed as enabled may still be accepted until the vendor's disable has
 * reached everywhere, so it counts as dead only that long after it was first seen so.
 */
async function unlistedLongEnough(attempt: Attempt, version: Version, listed: Credential | undefined): Promise<Death> {
  const { ports, key, keyId } = attempt;
  const { revokeSeconds } = ports.provider(key.facts.provider).traits;
  const waitSeconds = revokeSeconds + ports.settings.settleSeconds;
  const now = ports.clock.now();
  const seen = version.probes?.verdict === 'unlisted' ? version.probes : null;
  if (seen && now - milliseconds(seen.at) >= waitSeconds * 1000)
    return dead(attempt, version, listed, `its value was never stored, and the provider has not listed it as enabled for ${waitSeconds} s`);
  if (!seen) {
    const unlisted: Version = { ...version, probes: { verdict: 'unlisted', count: 1, at: instant(now) } };
    await record(attempt, () => ({
      writes: [putItem(versionItem(keyId, unlisted))],
      events: [
        { event: 'version.probed', detail: { version: version.number, verdict: 'unlisted', count: 1, answer: 'not listed as enabled' } },
      ],
    }));
  }
  throw new ProbeAgain(
    `version ${version.number} cannot be probed: it is dead ${waitSeconds} s after the provider stopped listing it as enabled`,
  );
}

function dead(attempt: Attempt, version: Version, listed: Credential | undefined, proof: string): Death {
  const died: Version = {
    ...version,
    state: isDead(version.state) ? version.state : moveVersion(version.state, 'disabled'),
    disabledAt: instant(attempt.ports.clock.now()),
    aliveAt: null,
  };
  return { version: died, proof, certificate: certify(attempt, died, listed, proof) };
}

/** Disables again what the provider still accepts; the caller throws the error. */
async function stillAccepted(attempt: Attempt, version: Version, seen: string): Promise<StillAccepted> {
  await disableVersion(attempt, version);
  return new StillAccepted(`version ${version.number} is not dead: ${seen}; it was disabled again`);
}

/**
 * Ends the sessions that the subject's credentials derived until now, where the vendor has such: a dead credential's sessions would live on.
 * Returns the instant before which they are refused, or null.
 */
export async function endSessions(attempt: Attempt): Promise<string | null> {
  const { ports, key, step, subject, operation } = attempt;
  const provider = ports.provider(key.facts.provider);
  if (!provider.endSessions) return null;
  const before = instant(ports.clock.now());
  await effect(
    attempt,
    { name: 'provider.endSessions', target: `${step}-${operation.startSeq}` },
    () => provider.endSessions?.(subject, before) ?? Promise.resolve(),
    () => ({ events: [{ event: 'sessions.ended', detail: { operation: operation.id, before } }] }),
  );
  return before;
}
