import { Value } from '../../core/value.ts';
import type { Spec } from './spec.ts';

/** The parts of a value that has several, under the names `value.<part>`; none when the value is not made like that. */
export function partsOf(composed: Spec['lifecycle']['value'], value: Value): Readonly<Record<string, Value>> {
  if (!composed) return {};
  const texts = value.reveal().split(composed.by);
  if (texts.length !== composed.parts.length || texts.includes('')) return {};
  return Object.fromEntries(composed.parts.map((part, index) => [`value.${part}`, new Value(texts[index] ?? '')]));
}
