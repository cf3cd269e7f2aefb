import { type Commit, commit } from '../commit.ts';
import { Fenced } from '../errors.ts';
import type { Key } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';

/** What this look calls a person for, if anything; a call of an earlier look that no longer holds is taken back, nobody else's is touched. */
export async function callPerson(ports: Ports, key: Key, strangers: number, failed: readonly string[]): Promise<void> {
  const known = key.attention?.reason;
  if (known && known !== 'UnattributedCredential' && known !== 'RepairFailed') return;
  if (failed.length) {
    if (known !== 'RepairFailed')
      await report(ports, key, 'RepairFailed', `could not be looked at or repaired: ${[...new Set(failed)].join(', ')}`);
  } else if (strangers) {
    if (known !== 'UnattributedCredential') {
      await report(
        ports,
        key,
        'UnattributedCredential',
        `the provider lists ${strangers} enabled credential(s) that Rekey did not make; they were not touched`,
      );
    }
  } else if (known) {
    await unlessTaken(ports, key, () => ({
      set: { attention: null },
      events: [{ event: 'attention.over', detail: { reason: known } }],
    }));
  }
}

/** Says on the key, and in a notice to everybody, why a person should look. */
export function report(ports: Ports, key: Key, reason: string, message: string): Promise<void> {
  return unlessTaken(ports, key, (fresh) => ({
    set: { attention: { reason, message, since: instant(ports.clock.now()) } },
    notices: [
      noticeFor(ports, fresh, '', { type: 'key.attention', audience: '*', severity: 'warning', data: { action: 'look', reason: message } }),
    ],
    events: [{ event: 'attention', detail: { reason } }],
  }));
}

/** What is seen of an idle key says nothing about one that somebody has taken since: then the operation says what is to be said. */
async function unlessTaken(ports: Ports, key: Key, build: (fresh: Key) => Pick<Commit, 'set' | 'notices' | 'events'>): Promise<void> {
  try {
    await commit(ports, key.facts.id, (fresh) => ({ ...build(fresh), actor: 'reconciler', fence: key.fence }));
  } catch (error) {
    if (!(error instanceof Fenced)) throw error;
  }
}
