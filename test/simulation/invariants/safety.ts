import { isDead, versionMoves } from '../../../core/version.ts';
import { isRevoked, type KeyRecord, type Oracle } from '../oracle.ts';
import type { Invariant } from './invariant.ts';

const each = (oracle: Oracle, breaks: (record: KeyRecord) => readonly string[]): string[] => [...oracle.keys.values()].flatMap(breaks);

/** INV-1 */
const onlyTowardDead: Invariant = {
  id: 'INV-1',
  sentence: 'a version is compromised for ever, and its state never moves to the left',
  onWrite: ({ record, versionsBefore }) =>
    [...(record?.versions.values() ?? [])].flatMap((version) => {
      const before = versionsBefore.get(version.number);
      if (!before || before === version) return [];
      const cleared = before.compromised && !version.compromised ? [`version ${version.number} is no longer compromised`] : [];
      const legal = before.state === version.state || versionMoves[before.state].includes(version.state);
      return legal ? cleared : [...cleared, `version ${version.number} moved from ${before.state} to ${version.state}`];
    }),
};

/** INV-2 */
const deadStaysDead: Invariant = {
  id: 'INV-2',
  sentence: 'after a revocation is acknowledged, nothing in its scope is ever accepted again',
  onLook: (oracle) =>
    each(oracle, ({ acknowledged, provider, byHand }) =>
      [...acknowledged.keys()].flatMap((id) =>
        provider.accepts(id) && !byHand.enabled.has(id) ? [`${id} is accepted after the acknowledgement`] : [],
      ),
    ),
  // What somebody else enabled again is ours to end again.
  atEnd: ({ oracle }) =>
    each(oracle, ({ acknowledged, provider }) =>
      [...acknowledged.keys()].filter((id) => provider.accepts(id)).map((id) => `${id} is accepted in the end`),
    ),
};

/** INV-3 */
const nothingEnables: Invariant = {
  id: 'INV-3',
  sentence: 'a credential that was disabled is enabled by nobody of ours',
  onLook: (oracle) =>
    each(oracle, ({ provider, seenDisabled, byHand }) =>
      provider.credentials().flatMap(({ credentialId, enabled }) => {
        if (!enabled) seenDisabled.add(credentialId);
        return enabled && seenDisabled.has(credentialId) && !byHand.enabled.has(credentialId) ? [`${credentialId} came back`] : [];
      }),
    ),
  elsewhere: 'test/house/code.test.ts: has a provider port with no verb that brings a version back',
};

/** INV-6 */
const recordedDeadIsDead: Invariant = {
  id: 'INV-6',
  sentence: 'what the inventory calls disabled or destroyed, the provider refuses',
  onLook: (oracle) =>
    each(oracle, ({ versions, provider, byHand }) =>
      [...versions.values()].flatMap(({ state, credentialId, number }) =>
        isDead(state) && credentialId && provider.accepts(credentialId) && !byHand.enabled.has(credentialId)
          ? [`version ${number} is ${state} and accepted`]
          : [],
      ),
    ),
  atEnd: ({ oracle }) =>
    each(oracle, ({ versions, provider }) =>
      [...versions.values()]
        .filter(({ state, credentialId }) => isDead(state) && credentialId && provider.accepts(credentialId))
        .map(({ number, state }) => `version ${number} is ${state} and accepted in the end`),
    ),
};

/** INV-11 */
const strangersUntouched: Invariant = {
  id: 'INV-11',
  sentence: 'a credential that is not attributed to us is never changed',
  onLook: ({ effects, keys }) => {
    const last = effects.at(-1);
    if (!last || (last.name !== 'provider.disable' && last.name !== 'provider.delete')) return [];
    const strange = [...keys.values()].some(({ facts, byHand }) => !facts.exclusive && byHand.made.has(last.target));
    return strange ? [`${last.worker.name} touched ${last.target}, which somebody else made`] : [];
  },
};

/** INV-12 */
const nobodyRefused: Invariant = {
  id: 'INV-12',
  sentence: 'no consumer is ever refused because of a rotation or a rollback',
  onLook: (oracle) =>
    each(oracle, (record) => {
      const { services, versions, provider, byHand } = record;
      return services.flatMap(({ name, using }) => {
        const version = using && [...versions.values()].find(({ credentialId }) => credentialId === using);
        if (!using || !version || isRevoked(record, version) || byHand.disabled.has(using) || provider.accepts(using)) return [];
        if (isOverruled(record, name, version.number)) return [];
        return [`${name} is refused with version ${version.number} (${version.state}), which nobody revoked`];
      });
    }),
};

/** The policy said to go on without this consumer's proof, after it was warned: then it is on record, and no surprise. */
function isOverruled({ records }: KeyRecord, consumer: string, version: number): boolean {
  return [...records.values()].some(
    ({ sk, kind }) => kind === 'policy' && sk.startsWith(`ADOPT#${consumer}#`) && Number(sk.split('#')[2]) > version,
  );
}

/** INV-13 */
const destinationsServe: Invariant = {
  id: 'INV-13',
  sentence: 'during a rotation every destination holds a version that the provider accepts',
  onLook: (oracle) =>
    each(oracle, (record) => {
      const { meta, facts, versions, provider, byHand, overwritten } = record;
      // A first issue that is taken back has nothing to fall back to.
      if (!meta?.rotation || meta.revocation || meta.rotation.oldVersion === 0) return [];
      return facts.destinations.flatMap(({ at }) => {
        const held = oracle.holding.get(at);
        if (!held || overwritten.has(at) || byHand.disabled.has(held)) return [];
        const revoked = [...versions.values()].some((version) => version.credentialId === held && isRevoked(record, version));
        return provider.accepts(held) || revoked ? [] : [`${at} holds ${held}, which is refused`];
      });
    }),
  atEnd: ({ oracle }) =>
    each(oracle, ({ meta, facts, versions }) => {
      const current = meta?.state === 'active' ? versions.get(meta.current ?? 0)?.credentialId : undefined;
      if (!current) return [];
      return facts.destinations
        .filter(({ at }) => oracle.holding.get(at) !== current)
        .map(({ at }) => `${at} holds ${oracle.holding.get(at)} in the end, and version ${meta?.current} is the current one`);
    }),
};

/** INV-14 */
const destinationsClean: Invariant = {
  id: 'INV-14',
  sentence: 'after a revocation closes, every destination holds an accepted version that is not compromised',
  onLook: (oracle) =>
    each(oracle, ({ meta, facts, audit, versions, provider, byHand, overwritten }) => {
      if (!meta || meta.revocation || !audit.some(({ event }) => event === 'revocation.closed')) return [];
      return facts.destinations.flatMap(({ at }) => {
        const held = oracle.holding.get(at);
        if (overwritten.has(at) || (held && byHand.disabled.has(held))) return [];
        const version = [...versions.values()].find(({ credentialId }) => credentialId === held);
        // A report about a dead or clean-by-choice version after the close marks it; the destination has moved on by then.
        const bad = !held || version?.compromised || !provider.accepts(held);
        return bad ? [`${at} holds ${held ?? 'nothing'} (version ${version?.number ?? '?'}) after the close`] : [];
      });
    }),
};

/** INV-17 */
const atMostTwo: Invariant = {
  id: 'INV-17',
  sentence: 'a key has at most two enabled recorded credentials, and one when nothing is under way',
  onLook: (oracle) =>
    each(oracle, ({ facts, versions, provider, byHand }) => {
      const enabled = enabledOf(provider, versions).filter((id) => !byHand.enabled.has(id));
      return enabled.length > 2 ? [`${facts.id} has ${enabled.length} enabled recorded credentials`] : [];
    }),
  atEnd: ({ oracle }) =>
    each(oracle, ({ facts, meta, versions, provider, byHand }) => {
      const enabled = enabledOf(provider, versions);
      const wanted = meta?.current ? 1 : 0;
      if (enabled.length === wanted) return [];
      const current = versions.get(meta?.current ?? 0)?.credentialId;
      if (enabled.length < wanted && current && byHand.disabled.has(current)) return [];
      return [`${facts.id} has ${enabled.length} enabled recorded credentials at the end`];
    }),
};

function enabledOf(provider: KeyRecord['provider'], versions: KeyRecord['versions']): string[] {
  const recorded = new Set([...versions.values()].map(({ credentialId }) => credentialId));
  return provider
    .credentials()
    .filter(({ enabled, credentialId }) => enabled && recorded.has(credentialId))
    .map(({ credentialId }) => credentialId);
}

/** What the world outside must look like: credentials, destinations and the services that use them. */
export const safety: readonly Invariant[] = [
  onlyTowardDead,
  deadStaysDead,
  nothingEnables,
  recordedDeadIsDead,
  strangersUntouched,
  nobodyRefused,
  destinationsServe,
  destinationsClean,
  atMostTwo,
];
