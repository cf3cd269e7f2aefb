import type { Spec } from '../../adapters/providers/spec.ts';

/** A fact that nobody looked at for so long may not be one any more. */
const freshDays = 365;

/** What would make a spec that may be used a better one, each in a sentence. */
export function adviceOn(spec: Spec, text: string, missing: readonly string[], now: number): string[] {
  const { metadata, operations, lifecycle } = spec;
  const say = (applies: boolean, sentence: string) => (applies ? [sentence] : []);
  const left = text.split('\n').flatMap((line, index) => (/#\s*EDIT\b/.test(line) ? [index + 1] : []));
  const guessed = metadata.facts.filter(({ is }) => is === 'unverified').flatMap(({ about }) => about);
  const stale = metadata.facts.filter(({ on }) => now - Date.parse(on) > freshDays * 86_400_000).flatMap(({ about }) => about);
  const labelled = operations.list?.each.label !== undefined || lifecycle.pattern === 'grace' || lifecycle.pattern === 'replace';
  return [
    ...say(left.length > 0, `line ${left.join(', ')}: still to be edited`),
    ...say(guessed.length > 0, `unverified: ${[...new Set(guessed)].join(', ')}; "rekey provider probe" observes what it can`),
    ...say(stale.length > 0, `not looked at for a year: ${[...new Set(stale)].join(', ')}`),
    ...say(missing.length > 0, `no fixture shows that ${missing.join(', that ')}`),
    ...say(metadata.secretPattern === undefined, 'without metadata.secretPattern a pasted value is not recognised and not redacted'),
    ...say(metadata.aliases === undefined, 'without metadata.aliases a leak scanner’s report does not find this provider'),
    ...say(
      operations.list !== undefined && !labelled && !lifecycle.supplied,
      'without a label in the list, keys whose answer got lost can be told from a stranger’s only on an exclusive principal',
    ),
    ...say(
      operations.lastUsed === undefined && lifecycle.pattern !== 'revokeOnly',
      'without lastUsed, quiet is no proof that a consumer moved',
    ),
  ];
}
