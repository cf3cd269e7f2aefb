import { Refused } from '../../core/errors.ts';
import type { Rule } from '../../core/leak-shapes.ts';
import type { LeakSource } from '../../core/leak-sources.ts';
import type { Confidence } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import type { Report, ReportSubject } from '../../core/reports/report.ts';
import { vendorsLike } from '../../core/revoke/find.ts';
import { hasVendorSecret } from '../../core/secret-detector.ts';
import { Value } from '../../core/value.ts';

/** A message as it came, before anybody believed it. Names of headers are in lower case. */
export interface Message {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes that were signed. */
  readonly raw: Uint8Array;
}

/** The secret, or the public keys, of a sender that was set up; undefined for one that was not. */
export type SecretOf = (name: string) => Promise<Value | undefined>;

/** Somebody outside who reports by HTTP: how their signature is checked, and what their message says. */
export interface Sender {
  /** The last part of the address: POST /reports/<name>. */
  readonly name: string;
  /** Who it is, once the signature over the raw bytes holds; undefined when it does not. Nothing of the body is looked at before. */
  authenticate(message: Message, secretOf: SecretOf, nowMs: number): Promise<string | undefined>;
  /** What it says. Throws Refused E_INPUT_INVALID; the message repeats nothing. */
  read(ports: Ports, message: Message, sender: string): readonly Report[];
}

/** What every report has, with the parts that senders leave out. */
export function reportOf(
  given: Pick<Report, 'source' | 'sender' | 'eventId' | 'subject'> & {
    readonly confidence?: Confidence;
    readonly where?: LeakSource;
    readonly own?: boolean;
    readonly says: string;
    readonly evidence?: unknown;
    readonly at?: unknown;
  },
): Report {
  const { confidence = 'reported', where = 'unknown', own = false, says, evidence, at, ...rest } = given;
  return { confidence, where, own, says: line(says, 200), evidence: placeOf(evidence), at: instantOf(at), ...rest };
}

/** A string that leaked, as the subject of a report; with the rule by which a scanner found it, where one did. */
export function leakedText(ports: Ports, text: string, rule?: Rule): ReportSubject {
  return { leaked: new Value(text), like: () => vendorsLike(ports, text, rule).surely };
}

/** JSON of unknown shape. Throws Refused E_INPUT_INVALID. */
export function jsonOf(raw: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch {
    // The parser's own message quotes the text.
    throw new Refused('E_INPUT_INVALID', 'the body is not JSON in UTF-8');
  }
}

/** One field of something of unknown shape; names of a prototype are no fields. */
export function fieldOf(of: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined),
    of,
  );
}

/** The field as a text that is neither empty nor longer than a value can be; undefined otherwise. */
export function textAt(of: unknown, ...path: readonly string[]): string | undefined {
  const found = fieldOf(of, ...path);
  return typeof found === 'string' && found !== '' && found.length <= 65_536 ? found : undefined;
}

/** One line for people: without what could forge a log line or hold a vendor's secret, and not longer than `most`. */
export function line(text: string, most: number): string {
  if (hasVendorSecret(text)) return 'a text that looks like a value';
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, most);
}

/** An address without what it may carry: query, fragment and credentials. Empty for anything else. */
function placeOf(given: unknown): string {
  if (typeof given !== 'string' || !URL.canParse(given)) return '';
  const { protocol, host, pathname } = new URL(given);
  return /^https?:$/.test(protocol) ? line(`${protocol}//${host}${pathname}`, 300) : '';
}

function instantOf(given: unknown): string {
  const at = typeof given === 'string' ? Date.parse(given) : Number.NaN;
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}

const leakSourceNames = /repositor|commit|pull|issue|wiki|gist|discussion/i;

/** Where something was found, in our words, by the sender's. */
export function whereOf(given: string | undefined): LeakSource {
  if (given === undefined) return 'unknown';
  if (/issue|ticket|jira/i.test(given)) return 'ticket';
  if (/slack|chat|teams/i.test(given)) return 'chat';
  if (/log/i.test(given)) return 'log';
  return leakSourceNames.test(given) ? 'repository' : 'unknown';
}
