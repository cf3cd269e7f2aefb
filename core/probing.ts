import { type Attempt, record } from './attempt.ts';
import { ProbeAgain } from './errors.ts';
import { putItem, versionItem } from './items.ts';
import type { Verdict } from './ports.ts';
import { instant, milliseconds } from './time.ts';
import type { Value } from './value.ts';
import type { Version } from './version.ts';

/** One recorded probe: its verdict, how many in a row had it, and the version as it is recorded now. */
export interface Probed {
  readonly verdict: Verdict;
  readonly count: number;
  readonly version: Version;
}

/**
 * Probes a version once and records the verdict and how many in a row had it. One attempt makes one probe; the workflow's retry
 * makes the next (protocol.md §5, constants). Throws ProbeAgain, without probing, when the last probe is more recent than the provider's pace.
 */
export async function probeOnce(attempt: Attempt, version: Version, value: Value): Promise<Probed> {
  const { ports, subject } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  const now = ports.clock.now();
  const last = version.probes;
  if (last && now - milliseconds(last.at) < provider.traits.probe.everySeconds * 1000) {
    throw new ProbeAgain(`version ${version.number} was probed less than ${provider.traits.probe.everySeconds} s ago`);
  }
  const { verdict, detail } = await provider.probe(subject, value);
  const count = verdict === 'inconclusive' ? 0 : last?.verdict === verdict ? last.count + 1 : 1;
  const at = instant(ports.clock.now());
  const since = count > 1 ? (last?.since ?? at) : at;
  const probed: Version = { ...counted(version, verdict), probes: { verdict, count, at, since, answer: detail.slice(0, 200) } };
  await record(attempt, () => ({
    writes: [putItem(versionItem(attempt.keyId, probed))],
    events: [{ event: 'version.probed', detail: { version: version.number, verdict, count, answer: detail.slice(0, 200) } }],
  }));
  return { verdict, count, version: probed };
}

/** One more probe in the record of an ending version. */
function counted(version: Version, verdict: Verdict): Version {
  const { ending, probes } = version;
  if (!ending) return version;
  const relapsed = verdict === 'alive' && probes?.verdict === 'denied';
  return { ...version, ending: { ...ending, [verdict]: ending[verdict] + 1, relapses: ending.relapses + (relapsed ? 1 : 0) } };
}

/** A version whose probes start from nothing: a count belongs to the state it was made in. */
export function unprobed(version: Version): Version {
  return { ...version, probes: null };
}
