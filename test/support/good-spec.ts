import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledSpecs, loadSpec } from '../../adapters/providers/load-spec.ts';
import { Refused } from '../../core/errors.ts';

export const sandbox = readFileSync(join(bundledSpecs, 'sandbox.yaml'), 'utf8');
/** A spec as for a real vendor: HTTPS at a public host. */
export const good = sandbox
  .replace('  localOnly: true\n', '')
  .replace('egress: [127.0.0.1]', 'egress: [api.vendor.example]')
  .replace('http://127.0.0.1:4010', 'https://api.vendor.example');

/** The good spec with one text replaced by another; fails loudly when the text is not there. */
export function bad(from: string, to: string): string {
  if (!good.includes(from)) throw new Error(`the good spec does not hold: ${from}`);
  return good.replace(from, () => to);
}

/** The good spec with changes, one after the other; fails loudly when one of them changes nothing. */
export function changed(...changes: readonly (readonly [RegExp | string, string])[]): string {
  return changes.reduce((text, [from, to]) => {
    const next = text.replace(from, () => to);
    if (next === text) throw new Error(`nothing matches ${from}`);
    return next;
  }, good);
}

export function refusal(yaml: string, options = {}): Refused {
  try {
    loadSpec(yaml, 'vendor.yaml', options);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}

/** Line and column (from 1) of the first place where the text stands. */
export function placeOf(yaml: string, text: string): string {
  const before = yaml.slice(0, yaml.indexOf(text)).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
