import type { Incident } from '../core/incident/incident.ts';
import { ago } from './elapsed.ts';
import { detailText } from './output.ts';

/** An incident as a document to keep: Markdown, with nothing in it that must not be read by whoever audits. */
export function incidentText(incident: Incident): string {
  const { keyId, operationId, owner, tier, environment, provider, state, outcome, requests, versions, stopwatch } = incident;
  const { certificates, told, consumers, timeline, chain, review, rootCause, closedBy, closedAt, openItems } = incident;
  return [
    `# Incident ${operationId}`,
    '',
    `Key ${cell(keyId)} (${tier}, ${environment}, at ${provider}, owned by ${cell(owner)}), version ${versions.join(', ') || 'none yet'}. It is **${state}**; outcome: **${outcome}**.`,
    '',
    '## Who, when, why',
    '',
    ...rows(
      ['When', 'Who', 'Why', 'Found in', 'Kind'],
      requests.map(({ at, actor, reason, source, kind = 'emergency' }) => [at, actor, reason, source, kind]),
    ),
    '',
    '## How long it took',
    '',
    ...rows(
      ['Mark', 'At', 'After the report', 'Target', 'Kept'],
      stopwatch.map(({ mark, at, seconds, targetSeconds }) => [
        mark,
        at ?? 'not yet',
        seconds === null ? '-' : ago(seconds * 1000),
        ago(targetSeconds * 1000),
        seconds === null ? '-' : seconds <= targetSeconds ? 'yes' : 'NO',
      ]),
    ),
    '',
    '## Proofs of death',
    '',
    ...rows(
      ['Version', 'Dead since', 'Proof', 'Tried', 'List', 'Looked again'],
      certificates.map(({ version, deadAt, proof, tried, listed, watched }) => [
        String(version),
        deadAt,
        proof,
        `${tried.denied} refused, ${tried.alive} accepted, ${tried.inconclusive} not to be judged`,
        listed,
        watched.map(({ at, verdict }) => `${at} ${verdict}`).join('; ') || 'not yet',
      ]),
    ),
    '',
    '## Who was told, and who recovered',
    '',
    ...rows(
      ['Level', 'To', 'At'],
      told.map(({ level, to, at }) => [level, to, at]),
    ),
    '',
    ...rows(
      ['Consumer', 'Owner', 'Proved the new version'],
      consumers.map(({ name, owner: of, recoveredAt }) => [name, of, recoveredAt ?? 'not yet']),
    ),
    '',
    '## Judgement',
    '',
    `Root cause: ${rootCause === null ? 'not said yet' : cell(rootCause)}`,
    '',
    review
      ? `Review ${review.id}, due ${review.dueAt}: ${review.answer ? `${review.answer}, by ${review.answeredBy}` : 'not answered yet'}`
      : 'No review: it was no emergency of its own.',
    '',
    closedAt ? `Closed ${closedAt} by ${closedBy}.` : 'Open items:',
    ...openItems.map((item) => `- ${cell(item)}`),
    '',
    '## Timeline',
    '',
    ...rows(
      ['#', 'When', 'Who', 'What', 'Detail'],
      timeline.map(({ seq, at, actor, event, detail }) => [String(seq), at, actor, event, detailText(detail)]),
    ),
    '',
    `The numbers are places in the key's audit chain, which ends at ${chain.seq} (${chain.hash})${chain.brokenAt === null ? ' and holds' : ` and DOES NOT HOLD from ${chain.brokenAt} on`}.`,
  ].join('\n');
}

function rows(headings: readonly string[], body: readonly (readonly string[])[]): string[] {
  if (body.length === 0) return ['None.'];
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [row(headings), `|${headings.map(() => '---').join('|')}|`, ...body.map(row)];
}

/** Text of people in a document of ours: it ends no cell and begins no markup. */
const cell = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[|`<>*_[\]]/g, (mark) => `\\${mark}`);
