import { adoptionKey, destinationKey } from '../../../core/items.ts';
import type { Oracle } from '../oracle.ts';
import type { Invariant } from './invariant.ts';

/** The sort keys that only the holder of the fence may write. */
const fenced = /^(VER|EFF|DEST|ORPHAN)#/;

/** INV-4 */
const onlyTheFence: Invariant = {
  id: 'INV-4',
  sentence: 'nothing is written by an attempt whose fence is not the current one',
  onWrite: ({ worker, before, writes }) => {
    const held = before && worker.fences.get(before.facts.id);
    if (!before || held === undefined || held === before.fence) return [];
    const late = writes.map((write) => (write.do === 'put' ? write.item.sk : write.key.sk)).filter((sk) => fenced.test(sk));
    return late.map((sk) => `${worker.name} with fence ${held} wrote ${sk} under fence ${before.fence}`);
  },
};

/** What may still be said of a rotation while a revocation has its key. */
const afterwards = new Set([
  'rotation.superseded',
  'attempt.acquired',
  'receipt.heard',
  'receipt.failed',
  'receipt.moved',
  'confirm.overridden',
]);

/** INV-5 */
const olderIsShutOut: Invariant = {
  id: 'INV-5',
  sentence: 'after the first fence of a revocation, no step of an older operation is recorded',
  onWrite: ({ before, entries }) => {
    if (!before?.revocation) return [];
    // Lines that single updates left earlier are filed now: they were there before the fence.
    const filed = new Set(before.pending.map(({ at, event }) => `${at} ${event}`));
    const closing = entries.some(({ event }) => event === 'revocation.closed');
    return entries
      .filter(({ detail }) => String(detail['operation'] ?? '').startsWith('rotate-'))
      .filter(({ at, event }) => !afterwards.has(event) && !filed.has(`${at} ${event}`) && !(closing && event === 'rotation.started'))
      .map(({ event, detail }) => `${event} of ${detail['operation']} during ${before.revocation?.id}`);
  },
};

/** INV-8 */
const disabledWithEvidence: Invariant = {
  id: 'INV-8',
  sentence:
    'a rotation disables the old version only after delivery, fresh proof of every consumer, verification and the point of no return',
  onLook: (oracle) => {
    const last = oracle.effects.at(-1);
    if (last?.name !== 'provider.disable' || last.worker.name !== 'Retire') return [];
    const record = recordOf(oracle, last.target);
    if (!record?.meta) return [];
    const { meta, facts, records, versions } = record;
    const old = [...versions.values()].find(({ credentialId }) => credentialId === last.target);
    // A disable that arrives late, when another operation has the key already, was judged when it was made.
    if (!old || meta.rotation?.id !== last.worker.operationId || meta.rotation.oldVersion !== old.number) return [];
    const { ponr, confirmedAt, verifiedAt, distributedAt, newVersion, id } = meta.rotation;
    const missing = [
      ...(ponr ? [] : ['the point of no return']),
      ...(confirmedAt ? [] : ['confirmation']),
      ...(verifiedAt ? [] : ['verification']),
      ...facts.destinations.flatMap((spec) =>
        records.has(destinationKey(facts.id, spec.id, newVersion).sk) ? [] : [`delivery to ${spec.id}`],
      ),
      ...facts.consumers.flatMap(({ name, proof }) => {
        const adoption = records.get(adoptionKey(facts.id, name, newVersion, id).sk);
        const fresh = adoption && String(adoption['at']) >= (distributedAt ?? '');
        return fresh || proof === 'quiet' ? [] : [`proof of ${name}`];
      }),
    ];
    return missing.map((what) => `version ${old.number} was disabled without ${what}`);
  },
};

/** INV-9 */
const noWayBack: Invariant = {
  id: 'INV-9',
  sentence: 'nothing is rolled back after the point of no return',
  onWrite: ({ before, record }) => {
    const [was, is] = [before?.rotation, record?.meta?.rotation];
    return was?.ponr && is?.id === was.id && record?.meta?.state === 'rolling-back'
      ? [`${was.id} rolls back after its point of no return`]
      : [];
  },
  onLook: ({ effects, keys }) => {
    const last = effects.at(-1);
    if (last?.worker.name !== 'RollBack') return [];
    const over = [...keys.values()].some(({ meta }) => meta?.rotation?.id === last.worker.operationId && meta.rotation.ponr);
    return over ? [`${last.name} ${last.target} of a rollback after the point of no return`] : [];
  },
};

/** INV-10 */
const backBeforeTheEnd: Invariant = {
  id: 'INV-10',
  sentence: 'a rollback disables the new version only when no consumer uses it any more',
  onLook: (oracle) => {
    const last = oracle.effects.at(-1);
    if (last?.name !== 'provider.disable' || last.worker.name !== 'RollBack') return [];
    return (recordOf(oracle, last.target)?.services ?? [])
      .filter(({ using }) => using === last.target)
      .map(({ name }) => `${name} still uses ${last.target}`);
  },
};

/** INV-16 */
const onlyWhatLeaked: Invariant = {
  id: 'INV-16',
  sentence: 'a report about one version compromises that version and no other',
  onWrite: ({ record, entries, before }) => {
    const revocation = before?.revocation;
    if (!record || !revocation || revocation.requests.some(({ scope }) => scope === 'all')) return [];
    const named = new Set(revocation.requests.flatMap(({ scope }) => (scope === 'all' ? [] : scope)));
    return entries
      .filter(({ event }) => event === 'versions.compromised')
      .flatMap(({ detail }) => String(detail['versions']).split(' ').filter(Boolean).map(Number))
      .filter((number) => !named.has(number))
      .map((number) => `version ${number} was compromised, though nobody reported it`);
  },
};

/** INV-28 */
const nothingForgotten: Invariant = {
  id: 'INV-28',
  sentence: 'versions, fingerprints, audit entries and ended operations are never removed',
  onWrite: ({ writes }) =>
    writes.flatMap((write) => {
      const sk = write.do === 'delete' ? write.key.sk : '';
      return /^(META|VER|AUD|OP|ADOPT|NONCE|DEST|EFF|FP)/.test(sk) ? [`${sk} was deleted`] : [];
    }),
  elsewhere: 'test/infra/stack.test.ts: the table keeps everything, without a time to live',
};

function recordOf(oracle: Oracle, credentialId: string) {
  return [...oracle.keys.values()].find(({ provider }) => provider.credentials().some((one) => one.credentialId === credentialId));
}

/** In which order things are done, and by whom. */
export const order: readonly Invariant[] = [
  onlyTheFence,
  olderIsShutOut,
  disabledWithEvidence,
  noWayBack,
  backBeforeTheEnd,
  onlyWhatLeaked,
  nothingForgotten,
];
