import { type AuditEntry, chain, genesisHash } from './audit.ts';
import { canonical } from './canonical.ts';
import { commit } from './commit.ts';
import { consumerProblems } from './consumer-fit.ts';
import { canaryProblems, canaryWrites, withDrill } from './drills/canary.ts';
import { dueOf } from './due.ts';
import { ConditionFailed, Fenced, Refused } from './errors.ts';
import { attribute, auditItem, findKey, getKey, indexChange, newKeyItem, putItem } from './items.ts';
import { type Key, type KeyFacts, type Tier, tiers } from './key.ts';
import type { Ports } from './ports.ts';
import { claimPrincipal } from './principal.ts';
import { providerProblems } from './provider-fit.ts';
import { tierOf } from './tier.ts';
import { instant } from './time.ts';

export interface Registered {
  readonly keyId: string;
  readonly outcome: 'created' | 'changed' | 'unchanged';
  readonly tier: Tier;
  readonly nextDueAt: string | null;
}

/**
 * Registers a key from its facts (K1), or brings the facts of a registered one up to date; the same facts again change nothing, so an
 * interrupted import can be run again. A change of facts recomputes tier and due date and says why in the audit.
 * Throws Refused E_INPUT_INVALID (facts that the policy does not allow), E_BUSY (an operation runs).
 */
export async function registerKey(ports: Ports, given: KeyFacts, actor: string): Promise<Registered> {
  const facts = withDrill(given);
  checkFacts(ports, facts);
  const known = await findKey(ports, facts.id);
  if (known) return change(ports, known, facts, actor);
  const now = instant(ports.clock.now());
  const { tier, because } = tierOf(facts, ports.policy);
  const registered = chain({ seq: 0, hash: genesisHash }, [
    { at: now, actor, event: 'key.registered', detail: { tier, because, ...onRecord(facts) } },
  ]);
  const entry = registered[0] as AuditEntry;
  const key: Key = {
    facts,
    tier,
    state: 'registered',
    fence: 0,
    audit: { seq: entry.seq, hash: entry.hash },
    pending: [],
    pendingCount: 0,
    rotation: null,
    revocation: null,
    hold: null,
    attention: null,
    breaches: [],
    current: null,
    lastVersion: 0,
    currentMadeAt: null,
    adopted: null,
    exceptedUntil: null,
    nextDueAt: null,
    dueBecause: 'interval',
    dueNow: null,
    reminded: null,
    exceptions: [],
    reviewedAt: now,
    reviewOpen: false,
    lastEndedAt: null,
    registeredAt: now,
    checkedAt: null,
    repairingAt: null,
  };
  const claims = await claimPrincipal(ports, facts);
  const rows = indexChange(facts.id, { keys: now, look: now, seal: now }).set ?? {};
  try {
    await ports.inventory.write([
      { do: 'put', item: { ...newKeyItem(key), ...rows }, when: [{ item: 'absent' }] },
      putItem(auditItem(facts.id, entry)),
      ...claims,
      ...canaryWrites(facts),
    ]);
  } catch (error) {
    if (error instanceof ConditionFailed) return registerKey(ports, facts, actor);
    throw error;
  }
  return { keyId: facts.id, outcome: 'created', tier, nextDueAt: null };
}

async function change(ports: Ports, known: Key, facts: KeyFacts, actor: string): Promise<Registered> {
  const same = canonical(attribute(known.facts)) === canonical(attribute(facts));
  if (same) return { keyId: facts.id, outcome: 'unchanged', tier: known.tier, nextDueAt: known.nextDueAt };
  const key = await tried(ports, facts.id, () => facts, actor);
  return { keyId: facts.id, outcome: 'changed', tier: key.tier, nextDueAt: key.nextDueAt };
}

/**
 * Changes a registered key's facts from what they are at that moment. Throws Refused E_INPUT_INVALID (facts that the policy does not allow),
 * E_BUSY (an operation runs), and whatever `factsOf` throws.
 */
export function changeFacts(ports: Ports, keyId: string, factsOf: (now: Key) => KeyFacts, actor: string): Promise<Key> {
  const checked = (now: Key): KeyFacts => {
    const facts = factsOf(now);
    checkFacts(ports, facts);
    return facts;
  };
  return tried(ports, keyId, checked, actor);
}

function tried(ports: Ports, keyId: string, factsOf: (now: Key) => KeyFacts, actor: string): Promise<Key> {
  const once = () => changed(ports, keyId, factsOf, actor);
  return once().catch((error: Error) => {
    // The key or its principal changed meanwhile: once more, with what is true now.
    if (error instanceof ConditionFailed || error instanceof Fenced) return once();
    throw error;
  });
}

function changed(ports: Ports, keyId: string, factsOf: (now: Key) => KeyFacts, actor: string): Promise<Key> {
  return commit(ports, keyId, async (now) => {
    const facts = factsOf(now);
    if (now.offboard)
      throw new Refused('E_REVOKED', `${facts.id} ${now.state === 'retired' ? 'is retired' : 'is to go for good'}: register another key`);
    if (now.rotation || now.revocation) throw new Refused('E_BUSY', `${facts.id} is ${now.state}; change its facts when that has ended`);
    if (now.facts.provider !== facts.provider && now.lastVersion > 0) {
      throw new Refused('E_INPUT_INVALID', 'a key cannot move to another provider', [
        { path: 'provider', message: `register a new key; this one has versions at ${now.facts.provider}` },
      ]);
    }
    // A right of its own (authority.ts): whoever registers keys does not approve them by that.
    if (now.facts.mode === 'observe' && facts.mode === 'live')
      throw new Refused('E_OBSERVE_ONLY', `${facts.id} is observed only; its owner lets it go live: rekey key live ${facts.id}`);
    const writes = await claimPrincipal(ports, facts, now.facts);
    const { tier, because } = tierOf(facts, ports.policy);
    const nextDueAt =
      now.current === null
        ? null
        : earlier(
            now.nextDueAt,
            dueOf({ ...now, facts, tier }, ports.policy) ?? now.registeredAt,
            tiers.indexOf(tier) > tiers.indexOf(now.tier),
          );
    const raised =
      tiers.indexOf(tier) < tiers.indexOf(now.tier) && nextDueAt !== null && now.nextDueAt !== null && nextDueAt < now.nextDueAt;
    return {
      actor,
      fence: now.fence,
      // Under a new fence: repairs that were planned for the old facts end.
      set: {
        facts,
        tier,
        nextDueAt,
        ...(raised ? { dueBecause: 'tier-raised' } : {}),
        fence: now.fence + 1,
        consumersSince: sinceOf(ports, now, facts),
      },
      writes: [...writes, ...canaryWrites(facts)],
      events: [
        {
          event: 'key.changed',
          detail: { tier, because, ...onRecord(facts), ...(tier === now.tier ? {} : { from: now.tier }), due: nextDueAt ?? 'none' },
        },
      ],
    };
  });
}

/** Since when consumers are registered that the key did not begin with. */
function sinceOf(ports: Ports, { facts: before, consumersSince }: Key, { consumers }: KeyFacts): Record<string, string> {
  const now = instant(ports.clock.now());
  const added = consumers.filter(({ name }) => !before.consumers.some((one) => one.name === name));
  const known = Object.entries(consumersSince ?? {}).filter(([name]) => consumers.some((one) => one.name === name));
  return { ...Object.fromEntries(known), ...Object.fromEntries(added.map(({ name }) => [name, now])) };
}

/** What evidence needs of a key's facts, so that the log alone is enough for it. */
function onRecord({ owner, team, unit, environment, provider }: KeyFacts): Readonly<Record<string, string>> {
  return { owner, team, unit, environment, provider };
}

/** A tier of less risk moves the due date as it computes; nothing else ever postpones it. */
function earlier(known: string | null, computed: string, lessRisk: boolean): string {
  return !lessRisk && known && known < computed ? known : computed;
}

function checkFacts(ports: Ports, facts: KeyFacts): void {
  const problems: { path: string; message: string }[] = [...canaryProblems(facts)];
  if (!ports.policy.approvedStores.includes(facts.store))
    problems.push({ path: 'store', message: `use an approved store: ${ports.policy.approvedStores.join(', ')}` });
  const provider = ports.provider(facts.provider);
  if (provider.traits.disable === 'none')
    ports.log.warn('this provider cannot revoke: the key can be rotated only', { key: facts.id, provider: facts.provider });
  problems.push(...providerProblems(provider, facts, ports.policy));
  for (const [i, spec] of facts.destinations.entries()) {
    ports.destination(spec.kind);
    if (spec.environment !== facts.environment)
      problems.push({ path: `destinations[${i}].environment`, message: `is ${spec.environment}, the key is ${facts.environment}` });
  }
  problems.push(...consumerProblems(facts, ports.policy.tiers[tierOf(facts, ports.policy).tier], provider));
  if (problems.length) throw new Refused('E_INPUT_INVALID', `${facts.id} cannot be registered like this`, problems);
}

/** Ends *observe only*: from now on Rekey changes what it used to report. Throws Refused E_NOTHING_TO_DO when the key is live. */
export async function goLive(
  ports: Ports,
  request: { readonly keyId: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly mode: 'live' }> {
  const key = await getKey(ports, request.keyId);
  if (key.facts.mode === 'live') throw new Refused('E_NOTHING_TO_DO', `${request.keyId} is live`);
  await commit(ports, request.keyId, ({ fence }) => ({
    actor,
    fence,
    set: { 'facts.mode': 'live', fence: fence + 1 },
    events: [{ event: 'key.live', detail: {} }],
  }));
  return { keyId: request.keyId, mode: 'live' };
}
