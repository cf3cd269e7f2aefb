import { type AuditEntry, chain, genesisHash } from './audit.ts';
import { commit } from './commit.ts';
import { dueAfter } from './due.ts';
import { ConditionFailed, Refused } from './errors.ts';
import type { Write } from './inventory.ts';
import {
  attribute,
  auditItem,
  destinationKey,
  findKey,
  fingerprintKey,
  getKey,
  indexChange,
  newKeyItem,
  putItem,
  versionItem,
} from './items.ts';
import { type Key, type KeyFacts, moveKey, type Tier } from './key.ts';
import type { Credential, Ports, Subject } from './ports.ts';
import { tierOf } from './tier.ts';
import { instant } from './time.ts';
import type { Value } from './value.ts';
import type { Version } from './version.ts';

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
export async function registerKey(ports: Ports, facts: KeyFacts, actor: string): Promise<Registered> {
  checkFacts(ports, facts);
  const known = await findKey(ports, facts.id);
  if (known) return change(ports, known, facts, actor);
  const now = instant(ports.clock.now());
  const { tier, because } = tierOf(facts);
  const registered = chain({ seq: 0, hash: genesisHash }, [
    { at: now, actor, event: 'key.registered', detail: { tier, because, owner: facts.owner } },
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
    current: null,
    lastVersion: 0,
    nextDueAt: null,
    dueNow: null,
    lastEndedAt: null,
    registeredAt: now,
    checkedAt: null,
  };
  const rows = indexChange(facts.id, { keys: now, look: now }).set ?? {};
  try {
    await ports.inventory.write([
      { do: 'put', item: { ...newKeyItem(key), ...rows }, when: [{ item: 'absent' }] },
      putItem(auditItem(facts.id, entry)),
    ]);
  } catch (error) {
    if (error instanceof ConditionFailed) return registerKey(ports, facts, actor);
    throw error;
  }
  return { keyId: facts.id, outcome: 'created', tier, nextDueAt: null };
}

async function change(ports: Ports, known: Key, facts: KeyFacts, actor: string): Promise<Registered> {
  const same = JSON.stringify(attribute(known.facts)) === JSON.stringify(attribute(facts)) || canonical(known.facts) === canonical(facts);
  if (same) return { keyId: facts.id, outcome: 'unchanged', tier: known.tier, nextDueAt: known.nextDueAt };
  const key = await commit(ports, facts.id, (now) => {
    if (now.rotation || now.revocation) throw new Refused('E_BUSY', `${facts.id} is ${now.state}; change its facts when that has ended`);
    if (now.facts.provider !== facts.provider && now.lastVersion > 0) {
      throw new Refused('E_INPUT_INVALID', 'a key cannot move to another provider', [
        { path: 'provider', message: `register a new key; this one has versions at ${now.facts.provider}` },
      ]);
    }
    const { tier, because } = tierOf(facts);
    const nextDueAt =
      now.current === null
        ? null
        : earlier(now.nextDueAt, dueAfter(facts, tier, ports.policy, now.lastEndedAt ?? now.registeredAt), tier === now.tier);
    return {
      actor,
      fence: now.fence,
      set: { facts, tier, nextDueAt },
      events: [
        { event: 'key.changed', detail: { tier, because, ...(tier === now.tier ? {} : { from: now.tier }), due: nextDueAt ?? 'none' } },
      ],
    };
  });
  return { keyId: facts.id, outcome: 'changed', tier: key.tier, nextDueAt: key.nextDueAt };
}

/** A change of tier moves the due date; a change of anything else never postpones it. */
function earlier(known: string | null, computed: string, sameTier: boolean): string {
  return sameTier && known && known < computed ? known : computed;
}

function canonical(facts: KeyFacts): string {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : value && typeof value === 'object'
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, inner]) => [name, sorted(inner)]),
          )
        : value;
  return JSON.stringify(sorted(attribute(facts)));
}

function checkFacts(ports: Ports, facts: KeyFacts): void {
  const problems: { path: string; message: string }[] = [];
  if (!ports.policy.approvedStores.includes(facts.store))
    problems.push({ path: 'store', message: `use an approved store: ${ports.policy.approvedStores.join(', ')}` });
  const { traits } = ports.provider(facts.provider);
  if (traits.disable === 'none')
    ports.log.warn('this provider cannot revoke: the key can be rotated only', { key: facts.id, provider: facts.provider });
  if (!traits.labelled && !facts.exclusive && tierOf(facts).tier !== 'low') {
    problems.push({
      path: 'exclusive',
      message: 'the provider has no names for credentials: the principal must belong to Rekey alone (exclusive: true)',
    });
  }
  for (const [i, spec] of facts.destinations.entries()) {
    ports.destination(spec.kind);
    if (spec.environment !== facts.environment)
      problems.push({ path: `destinations[${i}].environment`, message: `is ${spec.environment}, the key is ${facts.environment}` });
  }
  const tier = ports.policy.tiers[tierOf(facts).tier];
  for (const [i, consumer] of facts.consumers.entries()) {
    if (2 * consumer.refreshSeconds > tier.overlapMaxSeconds) {
      problems.push({
        path: `consumers[${i}].refreshSeconds`,
        message: `${consumer.name} needs an overlap of ${2 * consumer.refreshSeconds} s, the tier allows ${tier.overlapMaxSeconds} s`,
      });
    }
    if (facts.overlapSeconds !== null && facts.overlapSeconds < 2 * consumer.refreshSeconds) {
      problems.push({
        path: 'overlapSeconds',
        message: `is less than twice the ${consumer.refreshSeconds} s that ${consumer.name} takes to refresh`,
      });
    }
  }
  if (problems.length) throw new Refused('E_INPUT_INVALID', `${facts.id} cannot be registered like this`, problems);
}

/**
 * Makes an existing credential version 1 without touching it (K2). The value is already in the secret store, as version `token`. The
 * vendor's id is given, or carried by the value, or the only credential listed; a probe proves that the value works.
 * Throws Refused E_EXISTS, E_INPUT_EMPTY, E_NOT_FOUND, E_NOT_ACCEPTED; StoreConflict.
 */
export async function adoptVersion(
  ports: Ports,
  request: { readonly keyId: string; readonly token: string; readonly credentialId?: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly version: number; readonly credentialId: string }> {
  const { keyId, token } = request;
  const key = await getKey(ports, keyId);
  if (key.state !== 'registered' || key.current !== null)
    throw new Refused('E_EXISTS', `${keyId} already has version ${key.current ?? key.lastVersion}`);
  if (key.facts.destinations.length === 0)
    throw new Refused('E_INPUT_INVALID', `${keyId} has no destination`, [{ path: 'destinations', message: 'name at least one' }]);
  const value = await ports.secrets.read(keyId, token);
  if (!value) throw new Refused('E_INPUT_EMPTY', `the secret store holds no value for ${keyId} under that version`);
  const provider = ports.provider(key.facts.provider);
  const subject: Subject = { keyId, account: key.facts.account, params: key.facts.params };
  const credentialId = match(await provider.list(subject), request.credentialId ?? provider.credentialIdOf?.(value), keyId);
  const probe = await provider.probe(subject, value);
  if (probe.verdict !== 'alive')
    throw new Refused('E_NOT_ACCEPTED', `the provider's answer to the value is ${probe.verdict} (${probe.detail}); nothing was adopted`);
  const fingerprints = await fingerprintsOf(ports, key, value);
  await ports.secrets.promote(keyId, token, (await ports.secrets.labels(keyId))['AWSCURRENT'] ?? null);
  const now = instant(ports.clock.now());
  const version = adopted(key, credentialId, token, fingerprints, now);
  const delivered = await holding(ports, key, value);
  try {
    await commit(ports, keyId, (fresh) => ({
      actor,
      fence: fresh.fence,
      when: [{ path: 'lastVersion', is: '=', value: 0 }],
      set: {
        state: moveKey(fresh.state, 'adopt'),
        fence: fresh.fence + 1,
        current: 1,
        lastVersion: 1,
        nextDueAt: dueAfter(fresh.facts, fresh.tier, ports.policy, now),
      },
      writes: [
        putItem(versionItem(keyId, version)),
        ...delivered.map((id) => putItem({ ...destinationKey(keyId, id, 1), operationId: 'adopt', at: now })),
        ...fingerprints.map(
          (mac): Write => ({ do: 'put', item: { ...fingerprintKey(mac), keyId, version: 1 }, when: [{ item: 'absent' }] }),
        ),
      ],
      events: [{ event: 'version.adopted', detail: { version: 1, credential: `…${credentialId.slice(-4)}` } }],
    }));
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new Refused(
      'E_EXISTS',
      `this value is already registered, or ${keyId} was given a version at the same moment; the same value may serve only one key`,
    );
  }
  return { keyId, version: 1, credentialId };
}

/** The destinations that hold the value already; the others get it from the reconciler, once the key is live. */
async function holding(ports: Ports, key: Key, value: Value): Promise<string[]> {
  const held = await Promise.all(
    key.facts.destinations.map(async (spec) => ((await ports.destination(spec.kind).read(spec))?.equals(value) ? [spec.id] : [])),
  );
  return held.flat();
}

async function fingerprintsOf(ports: Ports, key: Key, value: Value): Promise<string[]> {
  const forms = [value, ...(ports.provider(key.facts.provider).leakForms?.(value) ?? [])];
  return [...new Set(await Promise.all(forms.map((form) => ports.fingerprint(form))))];
}

function match(listed: readonly Credential[], wanted: string | undefined, keyId: string): string {
  const enabled = listed.filter((credential) => credential.enabled);
  const found = wanted ? enabled.filter((credential) => credential.credentialId === wanted) : enabled;
  const [only] = found;
  if (only && found.length === 1) return only.credentialId;
  throw new Refused('E_NOT_FOUND', `${found.length} enabled credentials at the provider could be ${keyId}; name one with --credential-id`);
}

function adopted(key: Key, credentialId: string, token: string, fingerprints: readonly string[], now: string): Version {
  return {
    number: 1,
    state: 'live',
    role: 'current',
    compromised: false,
    credentialId,
    token,
    fingerprints,
    scopes: key.facts.scopes,
    environment: key.facts.environment,
    createdAt: now,
    liveAt: now,
    disabledAt: null,
    destroyedAt: null,
    probes: null,
  };
}

/** Ends *observe only*: from now on Rekey changes what it used to report. Throws Refused E_NOTHING_TO_DO when the key is live. */
export async function goLive(
  ports: Ports,
  request: { readonly keyId: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly mode: 'live' }> {
  const key = await getKey(ports, request.keyId);
  if (key.facts.mode === 'live') throw new Refused('E_NOTHING_TO_DO', `${request.keyId} is live`);
  await commit(ports, request.keyId, () => ({ actor, set: { 'facts.mode': 'live' }, events: [{ event: 'key.live', detail: {} }] }));
  return { keyId: request.keyId, mode: 'live' };
}
