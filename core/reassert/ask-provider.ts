import type { Key } from '../key.ts';
import type { Credential, Ports, Subject } from '../ports.ts';
import { instant, milliseconds } from '../time.ts';
import { isDead, isEnding, type Version } from '../version.ts';

/** The versions of a key, moved right by what their provider says of them. */
export interface Asked {
  readonly versions: readonly Version[];
  readonly listed: readonly Credential[];
  /** Seconds until the next probe may be made, while a death is not proven yet; null when everything is settled. */
  readonly againSeconds: number | null;
}

/**
 * Asks the provider what became of each version. One that it does not list as enabled is ending, and dead once its value was refused as
 * often in a row as the provider's traits say; one probe for each version and call, so the caller asks again. One that had ended and is
 * enabled all the same is disabled. A version that leaked is left to a revocation. Throws ProviderUnavailable, ProviderRefused.
 */
export async function askProvider(ports: Ports, key: Key, versions: readonly Version[]): Promise<Asked> {
  const { id: keyId, account, params } = key.facts;
  const subject: Subject = { keyId, account, params };
  const provider = ports.provider(key.facts.provider);
  const listed = await provider.list(subject);
  const answers: Version[] = [];
  let againSeconds: number | null = null;
  for (const version of versions) {
    const enabled = listed.some((one) => one.enabled && one.credentialId === version.credentialId);
    const own = key.rotation?.newVersion === version.number && version.state === 'minting';
    if (!version.credentialId || own || (version.compromised && !isDead(version.state)) || (enabled && !isEnding(version.state))) {
      answers.push(version);
      continue;
    }
    if (enabled) await provider.disable(subject, version.credentialId);
    const answer = isDead(version.state) ? version : await oneProbe(ports, subject, key, version);
    answers.push(answer);
    if (!isDead(answer.state)) againSeconds = Math.max(againSeconds ?? 0, provider.traits.probe.everySeconds);
  }
  return { versions: answers, listed, againSeconds };
}

async function oneProbe(ports: Ports, subject: Subject, key: Key, version: Version): Promise<Version> {
  const provider = ports.provider(key.facts.provider);
  const ending: Version = isEnding(version.state) ? version : { ...version, state: 'disabling', probes: null };
  const value = version.token ? await ports.secrets.read(subject.keyId, version.token) : undefined;
  if (!value) return dead(ports, ending);
  const nowMs = ports.clock.now();
  if (ending.probes && nowMs - milliseconds(ending.probes.at) < provider.traits.probe.everySeconds * 1000) return ending;
  const { verdict } = await provider.probe(subject, value);
  if (verdict === 'alive' && version.credentialId) await provider.disable(subject, version.credentialId);
  const last = ending.probes?.verdict === 'denied' ? ending.probes.count : 0;
  const count = verdict === 'denied' ? last + 1 : 0;
  const probed: Version = { ...ending, probes: { verdict, count, at: instant(nowMs) } };
  return count >= provider.traits.probe.denied ? dead(ports, probed) : probed;
}

function dead(ports: Ports, version: Version): Version {
  return { ...version, state: 'disabled', role: 'none', disabledAt: version.disabledAt ?? instant(ports.clock.now()) };
}
