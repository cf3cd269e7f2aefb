import type { AuditLine } from './audit.ts';
import type { Breach } from './breach.ts';
import { ConditionFailed, InventoryUnavailable, type Problem } from './errors.ts';
import type { Attribute, Hint, Write } from './inventory.ts';
import { attribute, installationKey } from './items.ts';
import { writeJournal } from './journal.ts';
import type { Ports } from './ports.ts';

/** What is true of the installation as a whole. Its journal has what belongs to no key: policies, pauses, refusals, reviews of the policy. */
export interface InstallationState {
  /** Grows with each change, so that of two at once one is refused. */
  readonly revision: number;
  /** By which policy the keys' tiers and due dates were last computed. */
  readonly policy: { readonly hash: string; readonly version: string; readonly since: string } | null;
  /** A newer one that is taking effect: the last key that it reached, and how many changed. */
  readonly applying: { readonly hash: string; readonly behind: Hint | null; readonly changed: number } | null;
  /** A policy file that could not be used; the last good one runs. */
  readonly refused: RefusedPolicy | null;
  readonly pause: Pause | null;
  readonly breaches: readonly Breach[];
  /** When the policy and the log were looked through last; at first, when a policy first took effect. Null before that. */
  readonly reviewed: { readonly policy: string | null; readonly log: string | null };
}

/** The schedule starts nothing until an instant; a revocation does not know it. */
export interface Pause {
  readonly reason: string;
  readonly by: string;
  readonly since: string;
  readonly until: string;
}

/** Why a policy file does not count: what is wrong where, and since when. */
export interface RefusedPolicy {
  readonly file: string;
  readonly message: string;
  readonly problems: readonly Problem[];
  readonly since: string;
}

/** What one transaction changes of the installation's state, beside the lines of its journal. */
export interface InstallationChange {
  readonly actor: string;
  readonly events: readonly { readonly event: string; readonly detail?: AuditLine['detail'] }[];
  readonly set?: Partial<Omit<InstallationState, 'revision'>>;
  readonly writes?: readonly Write[];
}

/** The installation's own journal. */
export const installationJournal: string = installationKey.pk;

const attempts = 25;
const nothing: InstallationState = {
  revision: 0,
  policy: null,
  applying: null,
  refused: null,
  pause: null,
  breaches: [],
  reviewed: { policy: null, log: null },
};

/** The installation's state as it is now. */
export async function installationState(ports: Ports): Promise<InstallationState> {
  const item = await ports.inventory.get(installationKey);
  if (!item) return nothing;
  const { pk: _pk, sk: _sk, ...state } = item;
  return { ...nothing, ...(state as unknown as InstallationState) };
}

/**
 * The one way to change what belongs to no key: state, other items and lines of the journal commit in one transaction. `build` sees the
 * state as it is and may be called several times; returning null changes nothing.
 * Throws ConditionFailed(n) when `writes[n]` was refused, InventoryUnavailable.
 */
export async function commitInstallation(
  ports: Ports,
  build: (state: InstallationState) => InstallationChange | null | Promise<InstallationChange | null>,
): Promise<InstallationState> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const state = await installationState(ports);
    const change = await build(state);
    if (!change) return state;
    const after = { ...state, ...change.set, revision: state.revision + 1 };
    const meta: Write = {
      do: 'put',
      item: { ...installationKey, ...(attribute(after) as { readonly [name: string]: Attribute }) },
      when: [state.revision === 0 ? { item: 'absent' } : { path: 'revision', is: '=', value: state.revision }],
    };
    const lines = change.events.map(({ event, detail }) => ({ actor: change.actor, event, detail: detail ?? {} }));
    try {
      await writeJournal(ports, installationJournal, lines, [meta, ...(change.writes ?? [])]);
      return after;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (error.index > 0) throw new ConditionFailed(error.index - 1);
    }
  }
  throw new InventoryUnavailable('too many writers met on the installation');
}
