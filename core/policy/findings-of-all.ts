import { type Finding, findingsOf } from '../findings.ts';
import { pageOfKeys } from '../fleet.ts';
import { installationState } from '../installation.ts';
import type { Ports } from '../ports.ts';
import type { Page, PageRequest } from '../search.ts';
import { instant } from '../time.ts';

/** A finding, and the key it is about; null for what is true of no single key. */
export interface KeyFinding extends Finding {
  readonly keyId: string | null;
  readonly unit: string;
}

/** What is wrong with the keys of a page; with the first page comes what is wrong with the installation itself. */
export async function listFindings(ports: Ports, { behind, limit }: PageRequest): Promise<Page<KeyFinding>> {
  const now = instant(ports.clock.now());
  const { keys, next } = await pageOfKeys(ports, behind, limit);
  const ofKeys = keys.flatMap((key) =>
    findingsOf(key, now, ports.policy).map((finding) => ({ keyId: key.facts.id, unit: key.facts.unit, ...finding })),
  );
  return { rows: [...(behind ? [] : await ofInstallation(ports, now)), ...ofKeys], looked: keys.length, next };
}

async function ofInstallation(ports: Ports, now: string): Promise<KeyFinding[]> {
  const { breaches, refused, pause, applying } = await installationState(ports);
  const [owner = ports.policy.onCall] = ports.policy.reviews.reviewers;
  const of = { keyId: null, unit: 'default', owner };
  return [
    ...breaches.map(({ rule, message, since }): KeyFinding => ({ ...of, rule, severity: 'breach', message, since })),
    ...(refused
      ? [
          {
            ...of,
            rule: 'policy-refused',
            severity: 'warning' as const,
            message: `${refused.file} is refused, and its last good edition runs: ${refused.message}`,
            since: refused.since,
          },
        ]
      : []),
    ...(pause && pause.until > now
      ? [
          {
            ...of,
            rule: 'paused',
            severity: 'note' as const,
            message: `the schedule is paused until ${pause.until} by ${pause.by}: ${pause.reason}`,
            since: pause.since,
          },
        ]
      : []),
    ...(applying
      ? [
          {
            ...of,
            rule: 'policy-applying',
            severity: 'note' as const,
            message: `the policy ${applying.hash.slice(0, 12)} has not reached every key yet`,
            since: now,
          },
        ]
      : []),
  ];
}
