import { createHash } from 'node:crypto';
import { Refused } from '../../core/errors.ts';
import { fieldOf, line, textAt } from './sender.ts';

/** One string that a scanner found, as the command line hands it in. */
export interface Finding {
  readonly id: string;
  readonly leaked: string;
  /** What the scanner calls such strings. */
  readonly rule: string;
  readonly says: string;
  readonly evidence: string;
  readonly at: string;
  /** The scanner tried it and it worked. */
  readonly verified: boolean;
}

/** Those whose reports are read here. */
export type Scanner = 'gitleaks' | 'trufflehog';

/**
 * What a report of Gitleaks (a JSON array, also that of its successor Betterleaks) or TruffleHog (`--json`, one document a line) found. Which of
 * the two it is shows in its fields. Throws Refused E_INPUT_INVALID for anything else, naming the line; nothing of it is repeated.
 */
export function readScan(text: string): { readonly scanner: Scanner; readonly findings: readonly Finding[] } {
  const trimmed = text.trim();
  if (trimmed === '') return { scanner: 'trufflehog', findings: [] };
  if (trimmed.startsWith('[')) {
    const list = parse(trimmed, 1);
    if (!Array.isArray(list)) throw unknownShape(1);
    return { scanner: 'gitleaks', findings: list.flatMap((one: unknown, i) => gitleaks(one, i + 1)) };
  }
  const findings = trimmed.split(/\r?\n/).flatMap((row, i) => {
    const one = parse(row, i + 1);
    // Its log lines stand between the findings.
    if (textAt(one, 'level') !== undefined && textAt(one, 'msg') !== undefined) return [];
    return trufflehog(one, i + 1);
  });
  return { scanner: 'trufflehog', findings };
}

function gitleaks(one: unknown, place: number): Finding[] {
  const leaked = textAt(one, 'Secret');
  const rule = textAt(one, 'RuleID');
  if (leaked === undefined || rule === undefined) throw unknownShape(place);
  const file = textAt(one, 'File') ?? '';
  return [
    {
      id: idOf(leaked, textAt(one, 'Fingerprint') ?? `${textAt(one, 'Commit') ?? ''}:${file}:${String(fieldOf(one, 'StartLine'))}`),
      leaked,
      rule: line(rule, 200),
      says: line(`${rule} in ${file || 'a commit'}`, 150),
      evidence: textAt(one, 'Link') ?? '',
      at: textAt(one, 'Date') ?? '',
      verified: textAt(one, 'ValidationStatus') === 'valid',
    },
  ];
}

function trufflehog(one: unknown, place: number): Finding[] {
  const detector = textAt(one, 'DetectorName');
  const raw = textAt(one, 'Raw');
  if (detector === undefined || raw === undefined) throw unknownShape(place);
  const data = fieldOf(one, 'SourceMetadata', 'Data');
  const [where = ''] = typeof data === 'object' && data !== null ? Object.keys(data) : [];
  const file = textAt(data, where, 'file') ?? '';
  const found: Omit<Finding, 'id' | 'leaked'> = {
    rule: line(detector, 200),
    says: line(`${detector} in ${file || where || 'a source'}`, 150),
    evidence: textAt(data, where, 'link') ?? '',
    at: textAt(data, where, 'timestamp') ?? '',
    verified: fieldOf(one, 'Verified') === true,
  };
  // A credential of two parts: either may be the value that is known here.
  const texts = [...new Set([raw, textAt(one, 'RawV2') ?? raw])];
  return texts.map((leaked) => ({ ...found, leaked, id: idOf(leaked, `${textAt(data, where, 'commit') ?? ''}:${file}`) }));
}

/** The find and its place: the same report sent again is the same find. */
const idOf = (leaked: string, place: string): string => createHash('sha256').update(`${leaked}|${place}`).digest('hex');

function parse(text: string, place: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unknownShape(place);
  }
}

function unknownShape(place: number): Refused {
  return new Refused('E_INPUT_INVALID', 'this is no report of Gitleaks (JSON) or TruffleHog (--json)', [
    { path: `entry ${place}`, message: 'is of another shape; nothing was reported' },
  ]);
}
