import { commit } from '../commit.ts';
import { dueOf } from '../due.ts';
import { commitInstallation, type InstallationState, installationState } from '../installation.ts';
import type { Hint } from '../inventory.ts';
import { type Key, tiers } from '../key.ts';
import type { Ports } from '../ports.ts';
import { tierOf } from '../tier.ts';
import { instant } from '../time.ts';
import { policyHash } from './policy-hash.ts';

/** How many keys are judged again between two notes of how far it came. */
const atOnce = 200;

/**
 * Has the policy that runs take effect on what was derived by another one: the tier and the due date of every key are derived again. Which
 * policy it is, by its hash, and how many keys changed, is on record before and after. Goes on for at most `seconds`, and the next run goes
 * on behind the last key; a policy that is in effect already costs one read. Returns what was done.
 */
export async function applyPolicy(ports: Ports, seconds: number): Promise<string[]> {
  const hash = policyHash(ports.policy);
  const before = await installationState(ports);
  if (before.policy?.hash === hash && !before.applying) return [];
  // A copy from a backup takes no change of its keys yet; what it lacks of the policy, it gets when it does.
  if ((await ports.inventory.table()).state === 'restored') return [];
  const started = before.applying?.hash === hash ? before : await begin(ports, hash);
  let applying = started.applying;
  const until = ports.clock.now() + seconds * 1000;
  while (applying) {
    const { changed, behind, over } = await slice(ports, applying.behind);
    const { changed: earlier }: { changed: number } = applying;
    const next = { ...applying, behind, changed: earlier + changed };
    if (over) {
      await end(ports, hash, next.changed);
      return [`policy ${hash.slice(0, 12)} is in effect; ${next.changed} keys changed`];
    }
    const after = await commitInstallation(ports, (state) =>
      state.applying?.hash === hash ? { actor: 'reconciler', set: { applying: next }, events: [] } : null,
    );
    applying = after.applying?.hash === hash ? after.applying : null;
    if (ports.clock.now() >= until) break;
  }
  return [`policy ${hash.slice(0, 12)} is taking effect`];
}

function begin(ports: Ports, hash: string): Promise<InstallationState> {
  const { version } = ports.policy;
  return commitInstallation(ports, ({ policy, applying }) =>
    applying?.hash === hash
      ? null
      : {
          actor: 'reconciler',
          set: { applying: { hash, behind: null, changed: 0 } },
          events: [{ event: 'policy.applying', detail: { policy: hash, version, from: policy?.hash ?? 'none' } }],
        },
  );
}

async function end(ports: Ports, hash: string, changed: number): Promise<void> {
  const { version } = ports.policy;
  const now = instant(ports.clock.now());
  await commitInstallation(ports, (state) =>
    state.applying?.hash !== hash
      ? null
      : {
          actor: 'reconciler',
          set: {
            policy: { hash, version, since: now },
            applying: null,
            reviewed: { policy: state.reviewed.policy ?? now, log: state.reviewed.log ?? now },
          },
          events: [{ event: 'policy.applied', detail: { policy: hash, version, from: state.policy?.hash ?? 'none', changed } }],
        },
  );
}

async function slice(ports: Ports, from: Hint | null): Promise<{ changed: number; behind: Hint | null; over: boolean }> {
  let behind = from;
  let seen = 0;
  let changed = 0;
  for await (const hint of ports.inventory.hints('keys', undefined, from ?? undefined)) {
    if (await deriveAgain(ports, hint.keyId)) changed += 1;
    behind = hint;
    seen += 1;
    if (seen === atOnce) return { changed, behind, over: false };
  }
  return { changed, behind, over: true };
}

/** Tier and due date of one key by the policy that runs. One key's trouble does not keep the others. Returns whether anything changed. */
async function deriveAgain(ports: Ports, keyId: string): Promise<boolean> {
  let changed = false;
  try {
    await commit(ports, keyId, (key) => {
      const derived = derivedBy(ports, key);
      changed = derived.tier !== key.tier || derived.nextDueAt !== key.nextDueAt;
      if (!changed) return null;
      const { tier, because, nextDueAt } = derived;
      const raised = tiers.indexOf(tier) < tiers.indexOf(key.tier);
      return {
        actor: 'reconciler',
        set: { tier, nextDueAt, ...(raised ? { dueBecause: 'tier-raised' } : {}) },
        events: [
          {
            event: 'key.derived',
            detail: {
              policy: policyHash(ports.policy),
              tier,
              because,
              ...(tier === key.tier ? {} : { from: key.tier }),
              due: nextDueAt ?? 'none',
            },
          },
        ],
      };
    });
  } catch (error) {
    ports.log.warn('a key keeps the tier and date of the policy before until it is changed', { key: keyId, error: (error as Error).name });
    return false;
  }
  return changed;
}

function derivedBy(ports: Ports, key: Key): { readonly tier: Key['tier']; readonly because: string; readonly nextDueAt: string | null } {
  const { tier, because } = tierOf(key.facts, ports.policy);
  // What runs pinned its own times; the date after it is derived when it ends.
  const nextDueAt = key.nextDueAt === null ? null : dueOf({ ...key, tier }, ports.policy);
  return { tier, because, nextDueAt };
}
