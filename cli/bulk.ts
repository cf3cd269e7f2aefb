import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bulk, BulkKey, BulkSelector } from '../core/bulk/bulk.ts';
import type { BulkProof } from '../core/bulk/proofs.ts';
import type { BulkPreview } from '../core/bulk/select.ts';
import { Refused } from '../core/errors.ts';
import { exits } from './ending.ts';
import { confirmByName } from './input.ts';
import { table } from './output.ts';
import type { Session } from './session.ts';

export interface BulkOptions {
  readonly owner?: string;
  readonly vendor?: string;
  readonly service?: string;
  readonly issuedBefore?: string;
  readonly leakedIn?: string;
  readonly reason?: string;
  readonly source?: string;
  readonly confirm?: string;
  readonly requestId?: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

/** Whether the options are about many keys. */
export const isBulk = ({ owner, vendor, service, issuedBefore, leakedIn }: BulkOptions): boolean =>
  [owner, vendor, service, issuedBefore, leakedIn].some((one) => one !== undefined);

/** `rekey revoke --owner …`: shows whose keys it would end, has their number typed back, and carries it out until every one is proven dead. */
export async function revokeMany(session: Session, options: BulkOptions, reportedAt: string): Promise<number> {
  const selector = await selectorOf(session, options);
  const preview = await session.door.ask<BulkPreview>('bulk.preview', { selector });
  if (options.dryRun || preview.count === 0) {
    session.result(preview, () => `${previewText(preview)}\nNothing was changed.`);
    return exits.ok;
  }
  session.note(previewText(preview));
  const count = String(preview.count);
  await confirmByName(count, options.confirm, `This cannot be undone. Type the number of keys, ${count}, to revoke them all`);
  const bulk = await session.door.ask<Bulk>('bulk.begin', {
    selector,
    count: preview.count,
    reason: options.reason ?? 'not said yet',
    requestId: options.requestId ?? randomUUID(),
    reportedAt,
    ...(options.source === undefined ? {} : { source: options.source }),
  });
  if (!options.wait) {
    session.result(bulk, () => `Begun as ${bulk.id}; it goes on by itself. Go on faster, and watch: rekey bulk resume ${bulk.id}`);
    return exits.ok;
  }
  return resumeBulk(session, bulk.id);
}

/** Goes on with a bulk revocation, and shows how far it is, until every key is proven dead. Ctrl-C ends the watching only. */
export async function resumeBulk(session: Session, id: string): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.on('SIGINT', interrupt);
  let said = '';
  try {
    for (;;) {
      const { bulk, againSeconds } = await session.door.ask<{ bulk: Bulk; againSeconds: number }>('bulk.advance', { id });
      session.redraw(progress(bulk));
      if (bulk.phase !== said) session.note(progress(bulk));
      said = bulk.phase;
      if (bulk.phase === 'done') return showProofs(session, bulk);
      if (!stop.signal.aborted) await pause(againSeconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) {
        session.note(`Stopped watching; it goes on by itself, more slowly. Go on with it: rekey bulk resume ${id}`);
        return exits.interrupted;
      }
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

/** The one list of proofs. Exit 6 when a key is not proven dead. */
export async function showProofs(session: Session, bulk: Bulk): Promise<number> {
  const proofs: BulkProof[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page: { proofs: BulkProof[]; next: number | null } = await session.door.ask('bulk.proofs', { id: bulk.id, from });
    proofs.push(...page.proofs);
    from = page.next;
  }
  const open = proofs.filter(({ state, dead }) => state === 'revoking' || dead.length === 0);
  session.result({ bulk, proofs }, () =>
    [
      table(
        ['KEY', 'NOW', 'DEAD', 'SINCE', 'PROOF'],
        proofs.map(({ keyId, state, dead }) => [
          keyId,
          state,
          dead.map(({ version }) => version).join(', ') || '-',
          dead.at(-1)?.deadAt ?? '-',
          dead.at(-1)?.proof ?? 'none by this',
        ]),
      ),
      `${proofs.length - open.length} of ${proofs.length} keys have a death certificate of ${bulk.id}.`,
      ...(open.length ? ['The others: rekey certificate KEY; a version that was dead before has an earlier one.'] : []),
    ].join('\n'),
  );
  return proofs.some(({ state }) => state === 'revoking') ? exits.unproven : exits.ok;
}

const progress = ({ phase, total, disabled, started, proven, failed }: Bulk): string =>
  `${phase}: ${disabled} of ${total} fenced and disabled, ${started} being proven, ${proven} contained${failed.length ? `, ${failed.length} not answered by their provider yet` : ''}`;

function previewText({ what, count, versions, byProvider, byOwner, byTier, consumers, sample, drills }: BulkPreview): string {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ');
  return [
    `${count} ${what}, at least ${versions} versions`,
    `  at          ${counts(byProvider)}`,
    `  owned by    ${counts(byOwner)}`,
    `  tiers       ${counts(byTier)}`,
    `  will break  ${consumers.join(', ') || 'no service that is known'}`,
    `  such as     ${sample.join(', ')}`,
    ...drills.map((drill) => `  last drill  ${drill}`),
  ].join('\n');
}

async function selectorOf(session: Session, options: BulkOptions): Promise<BulkSelector> {
  const { owner, vendor: provider, service, issuedBefore, leakedIn } = options;
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(provider === undefined ? {} : { provider }),
    ...(service === undefined ? {} : { service }),
    ...(issuedBefore === undefined ? {} : { issuedBefore: instantOf(issuedBefore) }),
    ...(leakedIn === undefined ? {} : { leaked: await leakedKeys(session, leakedIn) }),
  };
}

function instantOf(given: string): string {
  const at = Date.parse(given);
  if (Number.isNaN(at)) throw new Refused('E_INPUT_INVALID', '--issued-before is an instant like 2027-01-31T00:00:00Z');
  return new Date(at).toISOString();
}

/** Strings of one request: well below the body's limit. */
const atOnce = 200;
const fileBytes = 32 * 1024 * 1024;

/** The versions whose values stand in a file, one a line. The file is read, asked about in parts, and kept nowhere. */
async function leakedKeys(session: Session, file: string): Promise<BulkKey[]> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new Refused('E_INPUT_INVALID', `${file} cannot be read`);
  }
  if (text.length > fileBytes) throw new Refused('E_TOO_LARGE', `${file} is larger than ${fileBytes} bytes: split it`);
  const lines = [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter((line) => line !== '' && line.length <= 65_536);
  const found: BulkKey[] = [];
  let unknown = 0;
  for (let i = 0; i < lines.length; i += atOnce) {
    const page = await session.door.ask<{ keys: BulkKey[]; unknown: number }>('bulk.find', { leaked: lines.slice(i, i + atOnce) });
    found.push(...page.keys);
    unknown += page.unknown;
    session.redraw(`${Math.min(i + atOnce, lines.length)} of ${lines.length} strings looked up …`);
  }
  session.note(`${lines.length - unknown} of ${lines.length} strings belong to versions that Rekey knows.`);
  if (found.length === 0) throw new Refused('E_NOT_FOUND', `no string of ${file} belongs to a version that Rekey knows`);
  return merged(found);
}

function merged(keys: readonly BulkKey[]): BulkKey[] {
  const versions = new Map<string, Set<number>>();
  for (const { keyId, scope } of keys)
    for (const number of scope === 'all' ? [] : scope) versions.set(keyId, (versions.get(keyId) ?? new Set()).add(number));
  return [...versions].map(([keyId, numbers]) => ({ keyId, scope: [...numbers].sort((a, b) => a - b) }));
}
