import type { AuditLine } from '../../../core/audit.ts';
import { destinationKey } from '../../../core/items.ts';
import type { KeyState } from '../../../core/key.ts';
import { inflightSeconds } from '../../../core/settings.ts';
import { isDead, type Version } from '../../../core/version.ts';
import type { KeyRecord, Landed } from '../oracle.ts';
import { settings } from '../settings.ts';
import type { Invariant } from './invariant.ts';

/** What a write says it did, by the event it left; each with the operation that it names. */
const said = ({ entries, lines }: Landed, event: string) => [...entries, ...lines].filter((line) => line.event === event);

/** The states in which a step may run (protocol.md §2). */
const stateOf: Readonly<Record<string, KeyState>> = {
  rollback: 'rolling-back',
  disable: 'revoking',
  notify: 'revoking',
  validate: 'revoking',
  attribute: 'contained',
};

/** K3 */
const beginsWhereItMay: Invariant = {
  id: 'K3',
  sentence: 'a rotation begins on a key that is active or was never issued, without a hold, when no older attempt can still write',
  onWrite: (landed) => {
    const { before } = landed;
    return said(landed, 'rotation.started').flatMap(({ at, actor, detail }) => {
      if (!before || actor === 'step:close') return [];
      const quietFrom = [before.lastEndedAt, before.repairingAt].map((last) => Date.parse(last ?? '') + inflightSeconds(settings) * 1000);
      return [
        ...(before.state === 'active' || (before.state === 'registered' && before.current === null) ? [] : [`the key was ${before.state}`]),
        ...(before.rotation || before.revocation ? [`${(before.rotation ?? before.revocation)?.id} was open`] : []),
        ...(before.hold && before.hold.until > at ? [`the key was on hold until ${before.hold.until}`] : []),
        ...quietFrom
          .filter((from) => Date.parse(at) < from)
          .map((from) => `an older attempt may write until ${new Date(from).toISOString()}`),
      ].map((why) => `${detail['operation']} began although ${why}`);
    });
  },
};

/** K4: acquiring. */
const onlyTheOpenStep: Invariant = {
  id: 'K4',
  sentence: 'an attempt takes a key only for the open step of its own operation, in its own execution and in the state of that step',
  onWrite: (landed) => {
    const { before, worker } = landed;
    return landed.lines
      .filter(({ event }) => event === 'attempt.acquired')
      .flatMap(({ detail }) => {
        const { operation, step } = detail;
        const rotates = String(operation).startsWith('rotate-');
        const open = rotates ? before?.rotation : before?.revocation;
        const state = stateOf[String(step)] ?? (rotates ? 'rotating' : 'reissuing');
        return [
          ...(open?.id === operation ? [] : [`${open?.id ?? 'nothing'} was open`]),
          ...(open?.step === step ? [] : [`it was at ${open?.step}`]),
          ...(open?.startSeq === worker.startSeq ? [] : [`execution ${open?.startSeq} had it`]),
          ...(before?.state === state ? [] : [`the key was ${before?.state}`]),
        ].map((why) => `${worker.name} of execution ${worker.startSeq} took the key for ${step} of ${operation} although ${why}`);
      });
  },
};

/** K4: moving on. */
const onlyWhatIsOpen: Invariant = {
  id: 'K4b',
  sentence: 'an operation is confirmed, taken back, released or started again only while it is what was looked at',
  onWrite: (landed) => {
    const { before } = landed;
    const open = before?.revocation ?? before?.rotation;
    const shown = `the key was ${before?.state}, open was ${open?.id} ${open?.startSeq} at ${open?.step}`;
    const may = (event: string, holds: (detail: AuditLine['detail']) => boolean | undefined): string[] =>
      said(landed, event).flatMap(({ detail }) => (holds(detail) ? [] : [`${event} of ${detail['operation']} although ${shown}`]));
    const rotating = before?.state === 'rotating' && !before.revocation;
    return [
      ...may('rotation.confirmed', ({ operation }) => rotating && open?.id === operation && open?.step === 'confirm'),
      ...may('rotation.aborted', ({ operation }) => rotating && open?.id === operation),
      ...may('reissue.released', ({ operation }) => before?.state === 'contained' && open?.id === operation && before.revocation?.held),
      ...may(
        'operation.resumed',
        ({ operation, start, step }) => open?.id === operation && (open?.startSeq ?? 0) + 1 === start && open?.step === step,
      ),
    ];
  },
};

/** K5 */
const endsWithTheOldOne: Invariant = {
  id: 'K5',
  sentence: 'a rotation is done only past its point of no return, with the old version dead',
  onWrite: (landed) =>
    said(landed, 'rotation.done').flatMap(({ detail }) => {
      const { before, record } = landed;
      const old = record?.versions.get(Number(detail['retired']));
      return [
        ...(before?.rotation?.ponr ? [] : ['without its point of no return']),
        ...(!old || isDead(old.state) ? [] : [`while version ${old.number} is ${old.state}`]),
      ].map((why) => `${detail['operation']} was done ${why}`);
    }),
};

/** K5: the point of no return itself. */
const passedWithEvidence: Invariant = {
  id: 'K5b',
  sentence: 'the point of no return is passed only after delivery, confirmation and verification',
  onWrite: (landed) =>
    said(landed, 'rotation.point-of-no-return').flatMap(({ detail }) => {
      const { distributedAt, confirmedAt, verifiedAt } = landed.before?.rotation ?? {};
      const missing = Object.entries({ distributedAt, confirmedAt, verifiedAt }).filter(([, at]) => !at);
      return missing.map(([name]) => `${detail['operation']} passed it without ${name}`);
    }),
};

/** K7 */
const backWithTheNewOneDead: Invariant = {
  id: 'K7',
  sentence: 'a rollback is done only when the new version is dead or was never made',
  onWrite: (landed) =>
    said(landed, 'rotation.rolled-back').flatMap(({ detail }) => {
      const made = landed.record?.versions.get(landed.before?.rotation?.newVersion ?? 0);
      return !made || isDead(made.state) ? [] : [`${detail['operation']} was rolled back while version ${made.number} is ${made.state}`];
    }),
};

/** K10 */
const containedIsProven: Invariant = {
  id: 'K10',
  sentence: 'a key is contained only when every version that anybody reported is in scope and recorded as dead',
  onWrite: (landed) =>
    said(landed, 'revocation.contained').flatMap(() => {
      const { scope = [], requests = [], resolved = 0 } = landed.before?.revocation ?? {};
      const versions = [...(landed.record?.versions.values() ?? [])];
      const unread = versions.filter((version) => requests.slice(resolved).some((request) => covers(request.scope, version)));
      return [
        ...versions
          .filter(({ number, state }) => scope.includes(number) && !isDead(state))
          .map(({ number, state }) => `version ${number} is ${state}`),
        ...unread.filter(({ number }) => !scope.includes(number)).map(({ number }) => `version ${number} was reported and is not in scope`),
      ].map((why) => `contained although ${why}`);
    }),
};

const covers = (scope: 'all' | readonly number[], { number, state }: Version): boolean =>
  scope === 'all' ? state !== 'destroyed' : scope.includes(number);

/** K11 */
const heldIsHeld: Invariant = {
  id: 'K11',
  sentence:
    'nothing new is issued after a leak at a destination, or at an unknown place, or where the owner said so, before it is released',
  onWrite: (landed) => {
    const { before, record } = landed;
    const { requests = [], released } = before?.revocation ?? {};
    if (before?.state !== 'contained' || record?.meta?.state !== 'reissuing' || released) return [];
    const current = record.versions.get(before.current ?? 0);
    if (current && !current.compromised && current.state === 'live') return [];
    const sources = requests.map(({ source }) => source).filter((source) => source === 'destination' || source === 'unknown');
    const held = record.facts.incident.reissue === 'held' ? ['the owner holds it'] : [];
    return [...sources, ...held].map((why) => `${before.revocation?.id} is reissued, though: ${why}`);
  },
};

/** K12 */
const closedOnACleanOne: Invariant = {
  id: 'K12',
  sentence: 'a revocation closes only on a live version that did not leak and that every destination was given',
  onWrite: (landed) =>
    said(landed, 'revocation.closed').flatMap(({ detail }) => {
      const { record } = landed;
      const current = record?.versions.get(Number(detail['current']));
      if (!record || !current) return [`closed on version ${detail['current']}, which is on no record`];
      return [...unclean(current), ...undelivered(record, current)].map((why) => `closed on version ${current.number}, which ${why}`);
    }),
};

const unclean = ({ state, compromised }: Version): string[] => [
  ...(state === 'live' ? [] : [`is ${state}`]),
  ...(compromised ? ['leaked'] : []),
];

const undelivered = ({ facts, records }: KeyRecord, { number }: Version): string[] =>
  facts.destinations.filter(({ id }) => !records.has(destinationKey(facts.id, id, number).sk)).map(({ id }) => `${id} was not given`);

/** The guards of the transitions of a key (protocol.md §2), each judged by what the record was right before the write. */
export const guards: readonly Invariant[] = [
  beginsWhereItMay,
  onlyTheOpenStep,
  onlyWhatIsOpen,
  endsWithTheOldOne,
  passedWithEvidence,
  backWithTheNewOneDead,
  containedIsProven,
  heldIsHeld,
  closedOnACleanOne,
];
