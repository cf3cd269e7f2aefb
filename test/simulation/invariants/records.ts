import { attributionOf } from '../../../core/attribution.ts';
import { type AuditEntry, firstBreak } from '../../../core/audit.ts';
import { fingerprintKey } from '../../../core/items.ts';
import type { KeyRecord, Oracle } from '../oracle.ts';
import type { Invariant } from './invariant.ts';

const each = (oracle: Oracle, breaks: (record: KeyRecord) => readonly string[]): string[] => [...oracle.keys.values()].flatMap(breaks);

/** INV-7 */
const orphansEnd: Invariant = {
  id: 'INV-7',
  sentence: 'what the provider accepts is on record, or an orphan that is found once its key is idle',
  atEnd: ({ oracle }) =>
    each(oracle, ({ facts, meta, versions, provider }) =>
      provider
        .credentials()
        .filter(({ enabled }) => enabled)
        .filter((one) => meta && attributionOf(provider, meta, [...versions.values()], { ...one, createdAt: '' }) === 'ours')
        .map(({ credentialId }) => `${credentialId} of ${facts.id} is enabled and on no record`),
    ),
};

/** INV-15 */
const revokeAlwaysWorks: Invariant = {
  id: 'INV-15',
  sentence:
    'a revocation is accepted, and its disables are tried at once, whatever else is going on or down, as long as the inventory answers',
  atEnd: ({ oracle }) => {
    const asked = oracle.requests.filter(({ what }) => what.startsWith('revoke') || what === 'report a leak');
    return [
      ...asked
        .filter(({ outcome, error }) => outcome === 'refused' || (outcome === 'failed' && error !== 'InventoryUnavailable'))
        .map(({ what, keyId, error }) => `${what} of ${keyId} ended with ${error}`),
      ...asked.flatMap(({ what, untold }) => untold.map((id) => `${what} was accepted, and nobody told the provider to refuse ${id}`)),
    ];
  },
};

/** INV-19 */
const oneHome: Invariant = {
  id: 'INV-19',
  sentence: 'each destination, each fingerprint and each credential belongs to one key, and a version stays in its environment',
  atEnd: ({ oracle, items }) => {
    const homes = new Map<string, string>();
    const twice = each(oracle, ({ facts }) =>
      facts.destinations.flatMap(({ kind, at }) => {
        const other = homes.get(`${kind} ${at}`);
        homes.set(`${kind} ${at}`, facts.id);
        return other && other !== facts.id ? [`${at} is a destination of ${other} and of ${facts.id}`] : [];
      }),
    );
    const astray = each(oracle, ({ facts, versions }) =>
      [...versions.values()]
        .filter(({ environment }) => facts.destinations.some((spec) => spec.environment !== environment))
        .map(({ number }) => `version ${number} of ${facts.id} left its environment`),
    );
    const claimed = new Map(items.filter(({ sk }) => sk === 'FP').map((item) => [item.pk, `${item['keyId']} ${item['version']}`]));
    const stolen = each(oracle, ({ facts, versions }) =>
      [...versions.values()].flatMap(({ fingerprints, number }) =>
        fingerprints
          .filter((mac) => claimed.get(fingerprintKey(mac).pk) !== `${facts.id} ${number}`)
          .map(() => `a fingerprint of version ${number} of ${facts.id} is not its own`),
      ),
    );
    const owners = new Map<string, string>();
    const shared = each(oracle, ({ facts, versions }) =>
      [...versions.values()].flatMap(({ credentialId, number }) => {
        const [owner, own] = [owners.get(credentialId ?? ''), `version ${number} of ${facts.id}`];
        if (credentialId) owners.set(credentialId, own);
        return owner ? [`${credentialId} is ${owner} and ${own}`] : [];
      }),
    );
    return [...twice, ...astray, ...stolen, ...shared];
  },
};

/** INV-20 */
const noValueAnywhere: Invariant = {
  id: 'INV-20',
  sentence: 'no value is in the inventory, a notice, a log line or an error',
  atEnd: ({ oracle, items }) => {
    const sinks = { inventory: JSON.stringify(items), notices: JSON.stringify(oracle.published), 'log or error': oracle.said.join('\n') };
    return [...oracle.credentialOf.keys()].flatMap((text) => {
      const forms = [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('hex')];
      return Object.entries(sinks)
        .filter(([, sink]) => forms.some((form) => sink.includes(form)))
        .map(([name]) => `a value is in the ${name}`);
    });
  },
  elsewhere: 'test/core/marker.test.ts and test/e2e/marker.test.ts: every sink of a running installation, in every encoding',
};

/** INV-21 */
const fewReaders: Invariant = {
  id: 'INV-21',
  sentence: 'only the functions that the step table lists can read a value',
  atEnd: ({ oracle }) => oracle.said.filter((line) => line.startsWith('NotAllowed')),
  elsewhere: 'test/infra/rights.test.ts',
};

/** INV-22 */
const noLabelOnTheDead: Invariant = {
  id: 'INV-22',
  sentence: 'after a revocation has closed, no label of the secret store names a compromised version',
  onLook: (oracle) =>
    each(oracle, ({ facts, meta, audit, versions, labels, byHand }) => {
      // A label that somebody else moved is looked at while the key is idle, and judged in the end.
      if (!meta || meta.revocation || byHand.labels > 0 || !audit.some(({ event }) => event === 'revocation.closed')) return [];
      const named = new Set(Object.values(labels()));
      return [...versions.values()]
        .filter(({ compromised, token }) => compromised && token && named.has(token))
        .map(({ number }) => `a label names version ${number} of ${facts.id}, which is compromised`);
    }),
  atEnd: ({ oracle, labels }) =>
    each(oracle, ({ facts, versions, meta }) => {
      if (meta?.revocation) return [];
      const own = labels.get(facts.id) ?? {};
      const named = new Set(Object.values(own));
      const current = versions.get(meta?.current ?? 0);
      if (meta?.state === 'active' && current && own['AWSCURRENT'] !== current.token)
        return [`AWSCURRENT of ${facts.id} does not name version ${current.number}`];
      return [...versions.values()]
        .filter(({ compromised, token }) => compromised && token && named.has(token))
        .map(({ number }) => `a label names version ${number} of ${facts.id}, which is compromised`);
    }),
};

/** The audit events that raise a fence, one each. */
const fenceEvents = new Set([
  'attempt.acquired',
  'rotation.started',
  'rotation.aborted',
  'revocation.requested',
  'revocation.not-needed',
  'reconciler.acquired',
  'version.adopted',
  'key.changed',
  'key.live',
]);

/** Outcomes that nobody intended, and intents without an outcome that no newer attempt has followed. */
function unexplained(audit: readonly AuditEntry[]): string[] {
  const open = new Map<string, number>();
  const wrong: string[] = [];
  for (const { event, detail, seq } of audit) {
    const what = `${detail['effect']} ${detail['target']} by ${detail['operation']}`;
    if (event === 'effect.intended') open.set(what, seq);
    else if (event === 'effect.done' || event === 'effect.failed') {
      if (!open.delete(what)) wrong.push(`an outcome that nobody intended: ${what}`);
    } else if (fenceEvents.has(event)) open.clear();
  }
  return [...wrong, ...[...open.keys()].map((what) => `an intent without an outcome: ${what}`)];
}

/** INV-23 */
const auditComplete: Invariant = {
  id: 'INV-23',
  sentence:
    'the audit chain holds, has one event for each fence, an intent before each effect, and an outcome for each intent or a newer attempt',
  onLook: ({ unintended }) => unintended.map((what) => `${what} without an intent on record`),
  atEnd: ({ oracle }) =>
    each(oracle, ({ facts, meta, audit }) => {
      if (!meta) return [];
      const broken = firstBreak(audit, meta.audit);
      const raised = audit.filter(
        ({ event, actor }) => fenceEvents.has(event) && !(event === 'rotation.started' && actor === 'step:close'),
      );
      return [
        ...(broken === null ? [] : [`the chain of ${facts.id} breaks at ${broken}`]),
        ...(raised.length + meta.pending.length === meta.fence
          ? []
          : [`${facts.id} has fence ${meta.fence} and ${raised.length} events for it`]),
        ...unexplained(audit).map((what) => `${what} of ${facts.id}`),
      ];
    }),
};

/** What only a person does, and who may be on record for it. */
const byPersons = new Set([
  'revocation.requested',
  'revocation.joined',
  'revocation.not-needed',
  'hold.set',
  'hold.cleared',
  'confirm.overridden',
  'reissue.released',
]);

/** INV-24 */
const actorsAreTrue: Invariant = {
  id: 'INV-24',
  sentence: 'the actor of every revocation, hold, override and release is who asked, not what a payload says',
  atEnd: ({ oracle }) =>
    each(oracle, ({ audit, facts }) =>
      audit
        .filter(({ event, actor }) => byPersons.has(event) && actor !== 'caretaker')
        // Nobody asked: the reconciler saw a dead version accepted or enabled.
        .filter(({ actor, detail }) => !(actor === 'reconciler' && String(detail['request']).startsWith('alive-')))
        .filter(({ actor, detail }) => {
          const { request } = detail;
          const own = oracle.requests.filter((one) => one.actor === actor && one.keyId === facts.id);
          return request === undefined ? own.length === 0 : !own.some(({ requestId }) => requestId === request);
        })
        .map(({ actor, event }) => `${actor} is on record for ${event} of ${facts.id}, which somebody else asked for`),
    ),
};

/** INV-29 */
const nothingFloats: Invariant = {
  id: 'INV-29',
  sentence: 'no call is under way when a function returns',
  atEnd: ({ oracle }) => oracle.workersLeft,
};

/** What each accepted request leaves in the history, where it begins no operation. */
const traceOf: Readonly<Record<string, string>> = {
  hold: 'hold.set',
  'end the hold': 'hold.cleared',
  'release the reissue': 'reissue.released',
  'close as a mistake': 'reissue.released',
};

/** INV-30 */
const nothingLost: Invariant = {
  id: 'INV-30',
  sentence: 'a request that was accepted is on record',
  atEnd: ({ oracle }) =>
    oracle.requests
      .filter(({ outcome, keyId, operationId, what, actor }) => {
        const { audit = [] } = oracle.keys.get(keyId) ?? {};
        const trace = traceOf[what];
        const lost = operationId !== null && !audit.some(({ detail }) => detail['operation'] === operationId);
        const untraced = trace !== undefined && !audit.some(({ event, actor: by }) => event === trace && by === actor);
        return outcome === 'accepted' && (lost || untraced);
      })
      .map(({ what, operationId, actor }) => `${what} of ${actor} (${operationId ?? 'no operation'}) was accepted and is on no record`),
};

/** What is written down, told, and kept. */
export const records: readonly Invariant[] = [
  orphansEnd,
  revokeAlwaysWorks,
  oneHome,
  noValueAnywhere,
  fewReaders,
  noLabelOnTheDead,
  auditComplete,
  actorsAreTrue,
  nothingFloats,
  nothingLost,
];
