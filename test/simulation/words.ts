import type { AuditLine } from '../../core/audit.ts';
import type { WriteName } from './worker.ts';

type Detail = AuditLine['detail'];

/** What each event of a key's history means, for people. An event without a sentence is told by its name and its details. */
const sentences: Readonly<Record<string, (detail: Detail) => string>> = {
  'attempt.acquired': ({ step, operation }) => `takes the key for step ${step} of ${short(operation)}`,
  'attention.over': ({ reason }) => `needs nobody any more (${reason})`,
  attention: ({ reason }) => `calls a person: ${reason}`,
  'confirm.overdue': ({ missing }) => `calls a person: at the cap of the overlap, not moved: ${missing}`,
  'confirm.overridden': ({ consumer, version }) =>
    `says for ${consumer === '*' ? 'everybody' : consumer} that version ${version} is in use`,
  'destination.restored': ({ destination, version }) => `has given ${destination} version ${version} again`,
  'effect.failed': ({ effect, target, error }) => `could not make ${effect} of ${target}: ${error}`,
  'hold.set': ({ until, reason }) => `holds the key until ${until}: ${reason}`,
  'hold.cleared': () => 'ends the hold',
  'key.changed': ({ tier }) => `has changed the facts; tier ${tier}`,
  'key.registered': ({ tier, because }) => `registers the key; tier ${tier}: ${because}`,
  'mint.abandoned': ({ version, mint, reason }) => `gives up mint ${mint} of version ${version}: ${reason}`,
  'operation.resumed': ({ operation, step, start, why }) => `starts ${short(operation)} again at ${step}, as execution ${start}: ${why}`,
  'orphan.deleted': ({ credential }) => `has deleted ${credential}, which no record knew`,
  'orphan.disabled': ({ credential }) => `has disabled ${credential}, which no record knew`,
  'receipt.moved': ({ consumer, version }) => `proves that ${consumer} uses version ${version}`,
  'reconciler.acquired': () => 'takes the key to repair it',
  'reissue.released': ({ reason }) => `releases the reissue: ${reason}`,
  'revocation.attributed': ({ strangers, next }) => `has looked at what the provider lists; strangers: ${strangers}; next: ${next}`,
  'revocation.closed': ({ current }) => `closes the revocation; version ${current} is in use`,
  'revocation.contained': ({ proof }) => `ACKNOWLEDGES the revocation: ${proof}`,
  'revocation.disabled': ({ versions }) => `has told the provider to refuse versions ${versions || 'none'}`,
  'revocation.first-disabled': ({ versions }) => `has told the provider first of all: ${versions}`,
  'revocation.incomplete': ({ error }) => `calls a person: containment is incomplete (${error})`,
  'revocation.joined': ({ source }) => `is on record with the open revocation (leaked at: ${source})`,
  'revocation.not-needed': ({ versions }) => `is on record; versions ${versions || 'none'} were dead before`,
  'revocation.notified': () => 'goes on to the proof',
  'revocation.recovered': () => 'notes that every consumer is back in service',
  'revocation.requested': ({ scope, source }) => `RAISES THE FENCE of a revocation; scope: ${scope}; leaked at: ${source}`,
  'revocation.told': () => 'notes that everybody was told',
  'rotation.aborted': ({ operation, cause }) => `takes ${short(operation)} back: ${cause}`,
  'rotation.confirmed': ({ version, evidence }) => `everybody has moved to version ${version} (${evidence || 'nobody had to'})`,
  'rotation.done': ({ current, retired }) => `ends the rotation: version ${current} is in use, ${retired} is dead`,
  'rotation.point-of-no-return': ({ old }) => `passes the point of no return: version ${old} may be disabled`,
  'rotation.restored': ({ version }) => `version ${version} is everywhere again`,
  'rotation.rolled-back': ({ current, cause }) => `has rolled back to version ${current}: ${cause}`,
  'rotation.started': ({ operation, old, new: fresh, reason }) => `begins ${short(operation)} from version ${old} to ${fresh}: ${reason}`,
  'rotation.superseded': ({ operation }) => `files ${short(operation)}, which the revocation displaced`,
  'sessions.ended': () => 'has ended the derived sessions',
  'version.adopted': ({ credential }) => `takes credential ${credential} over as version 1`,
  'version.alive-again': ({ version }) => `sees version ${version} alive again`,
  'version.created': ({ version, credential }) => `version ${version} is credential ${credential}`,
  'version.dead': ({ version, proof }) => `version ${version} is dead: ${proof}`,
  'version.destroyed': ({ version, reason }) => `version ${version} is deleted: ${reason}`,
  'version.disabling': ({ version }) => `the provider was told to refuse version ${version}`,
  'version.distributed': ({ version }) => `version ${version} is everywhere, and its consumers are told`,
  'version.issued': ({ version }) => `version ${version} works and can be delivered`,
  'version.probed': ({ version, verdict, count }) => `tries version ${version}: ${verdict}, ${count} in a row`,
  'version.still-dead': ({ version }) => `has looked at version ${version}: still dead`,
  'version.verified': ({ version }) => `version ${version} is verified`,
  'versions.compromised': ({ versions }) => `marks versions ${versions || 'none'} as compromised`,
};

/** What each external write does, as it takes effect. */
const deeds: Readonly<Partial<Record<WriteName, (target: string) => string>>> = {
  'provider.create': (id) => `the provider makes ${id}`,
  'provider.disable': (id) => `the provider disables ${id}`,
  'provider.delete': (id) => `the provider deletes ${id}`,
  'provider.endSessions': () => 'the provider ends derived sessions',
  'secrets.put': (token) => `the secret store takes a value as ${token.slice(0, 8)}`,
  'secrets.promote': (token) => `AWSCURRENT moves to ${token.slice(0, 8)}`,
  'secrets.strip': (token) => `labels are stripped from ${token.slice(0, 8)}`,
  'destination.write': (place) => `${place} is written`,
  'executions.start': () => 'an execution is started',
  'executions.succeed': () => 'the waiting Confirm is answered',
  'executions.fail': () => 'the waiting Confirm is told to end',
};

/** An event in a sentence. */
export const eventInWords = (event: string, detail: Detail): string =>
  sentences[event]?.(detail) ?? `${event} ${Object.values(detail).join(' ').slice(0, 120)}`;

/** An external write in a sentence. */
export const deedInWords = (name: WriteName, target: string): string => deeds[name]?.(target) ?? `${name} ${target}`;

/** `rotate-pfjx`: enough of an operation's id to follow it through a story. */
const short = (operation: string | number | boolean | undefined): string => String(operation ?? '').slice(0, 11);
