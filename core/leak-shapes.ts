import type { Log, LogFields, Provider, ProviderTraits } from './ports.ts';
import { withoutVendorSecrets } from './secret-detector.ts';
import { Value } from './value.ts';

/** The shape of a provider's values. */
export type Shape = { readonly [part in keyof Pick<ProviderTraits, 'secretPattern' | 'commonShape'>]: ProviderTraits[part] | undefined };

/** What is needed of a provider to recognise its values. */
export type Recognisable = Pick<Provider, 'name' | 'about' | 'credentialIdOf'> & { readonly traits: Shape };

/** Longer than any vendor's value that is recognised by its shape: a longer word is not looked at. */
const longestWord = 512;

/** The report formats of leak scanners whose names a spec can give. */
export const scanners = ['trufflehog', 'gitleaks', 'kingfisher', 'github', 'gitguardian'] as const;
export type Scanner = (typeof scanners)[number];

/** What a scanner says that it found: its rule, detector or secret type. */
export interface Rule {
  readonly scanner: Scanner;
  readonly name: string;
}

/** Providers by how surely a string is one of their values. */
export interface LooksLike {
  /** The shape is theirs alone. */
  readonly surely: readonly string[];
  /** The shape is a common one, like 32 hex digits. */
  readonly perhaps: readonly string[];
}

/**
 * Which providers' values a string looks like, as a whole or in one of its words. The shape is theirs alone, the string carries one of their
 * ids, or the scanner that found it says so: then it is surely theirs. Linear in its length: every word is compared once with every provider's
 * pattern, which is anchored and whose own work is bounded (the check of specs sees to that).
 */
export function looksLike(text: string, providers: readonly Recognisable[], rule?: Rule): LooksLike {
  const words = [...new Set([text.trim(), ...wordsOf(text)])].filter((word) => word.length <= longestWord);
  const named = new Set(rule ? providersOfRule(rule, providers) : []);
  const fits = ({ traits: { secretPattern } }: Recognisable) => {
    const shape = secretPattern === undefined ? undefined : wholly(secretPattern);
    return shape !== undefined && words.some((word) => shape.test(word));
  };
  const carried = ({ credentialIdOf }: Recognisable) =>
    credentialIdOf && words.some((word) => credentialIdOf(new Value(word)) !== undefined);
  const surely = providers.filter((one) => named.has(one.name) || carried(one) || (!one.traits.commonShape && fits(one)));
  const perhaps = providers.filter((one) => one.traits.commonShape && !surely.includes(one) && fits(one));
  return { surely: surely.map(({ name }) => name), perhaps: perhaps.map(({ name }) => name) };
}

/** Which providers a leak scanner means by a rule; none when no provider knows it. Case does not count. */
export function providersOfRule({ scanner, name: rule }: Rule, providers: readonly Recognisable[]): string[] {
  const wanted = rule.trim().toLowerCase();
  return providers
    .filter(({ about }) => Object.hasOwn(about.aliases, scanner) && about.aliases[scanner]?.some((alias) => alias.toLowerCase() === wanted))
    .map(({ name }) => name);
}

/** Stands in a log where a value would. */
const redacted = '[value]';

/** A log that never holds a value of these shapes, nor of a vendor's that is known anyhow. Common shapes are left: they are ids far more often. */
export function redactingLog(log: Log, shapes: readonly Shape[]): Log {
  const patterns = shapes.flatMap(({ secretPattern, commonShape }) => (secretPattern && !commonShape ? [wholly(secretPattern)] : []));
  const isValue = (text: string) => text.length <= longestWord && patterns.some((pattern) => pattern.test(text));
  const clean = (text: string) =>
    withoutVendorSecrets(text, redacted).replace(word, (one) =>
      isValue(one) || isValue(bare(one)) ? redacted : one.replace(part, (some) => (isValue(bare(some)) ? redacted : some)),
    );
  const cleanFields = (fields: LogFields | undefined): LogFields | undefined =>
    fields && Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, typeof field === 'string' ? clean(field) : field]));
  const line = (level: 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) =>
    log[level](clean(message), cleanFields(fields));
  return { info: line('info'), warn: line('warn'), error: line('error'), measure: (values, of) => log.measure(values, of) };
}

const wholly = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

/** A word as a line of a log or a settings file has it: what stands between spaces, quotes and the signs that join a name and its content. */
const word = /[^\s"'`=,;&<>(){}[\]]+/g;
/** A part of one, as of an address. */
const part = /[^:/@]+/g;
const wordsOf = (text: string): string[] =>
  (text.match(word) ?? []).flatMap((one) => [one, bare(one), ...(one.match(part) ?? []).map(bare)]);

/** Without the marks of a sentence around it. */
const bare = (one: string): string => (one.length > longestWord ? one : one.replace(/^[.!?]+/, '').replace(/[.!?]+$/, ''));
