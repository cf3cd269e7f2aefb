import { commitInstallation, installationState, type RefusedPolicy } from '../installation.ts';
import type { Ports } from '../ports.ts';

/**
 * Writes down that a policy file was refused, or that the one in force is good again (null). What runs meanwhile is the last good one. The same
 * refusal again changes nothing.
 */
export async function notePolicyFile(ports: Ports, refused: Omit<RefusedPolicy, 'since'> | null, now: string): Promise<void> {
  const known = (await installationState(ports)).refused;
  const same = (known === null && refused === null) || (known && refused && textOf(known) === textOf(refused));
  if (same) return;
  await commitInstallation(ports, () => ({
    actor: 'local',
    set: { refused: refused && { ...refused, since: now } },
    events: [
      refused
        ? { event: 'policy.refused', detail: { file: refused.file, faults: refused.problems.length, first: textOfProblem(refused) } }
        : { event: 'policy.accepted', detail: {} },
    ],
  }));
}

const textOf = ({ file, message, problems }: Omit<RefusedPolicy, 'since'>): string => JSON.stringify([file, message, problems]);

const textOfProblem = ({ message, problems: [first] }: Omit<RefusedPolicy, 'since'>): string =>
  (first ? `${first.path} ${first.message}` : message).slice(0, 300);
