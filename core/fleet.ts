import type { Hint } from './inventory.ts';
import { findKey } from './items.ts';
import type { Key } from './key.ts';
import type { Ports } from './ports.ts';

/** Some keys, in the order of the index, and the place behind which the next ones are; null when there are none. */
export interface KeyPage {
  readonly keys: readonly Key[];
  readonly next: Hint | null;
}

/** How many keys are read side by side. */
const atOnce = 16;

/** The keys behind a place, at most `limit`, each as it is now. */
export async function pageOfKeys(ports: Ports, behind: Hint | null, limit: number): Promise<KeyPage> {
  const hints: Hint[] = [];
  let more = false;
  for await (const hint of ports.inventory.hints('keys', undefined, behind ?? undefined)) {
    if (hints.length === limit) {
      more = true;
      break;
    }
    hints.push(hint);
  }
  const keys: Key[] = [];
  for (let i = 0; i < hints.length; i += atOnce) {
    const read = await Promise.all(hints.slice(i, i + atOnce).map(({ keyId }) => findKey(ports, keyId)));
    keys.push(...read.filter((key) => key !== undefined));
  }
  return { keys, next: more ? (hints.at(-1) ?? null) : null };
}

/** Every key there is, read page by page. */
export async function* everyKey(ports: Ports): AsyncIterable<Key> {
  let behind: Hint | null = null;
  do {
    const page: KeyPage = await pageOfKeys(ports, behind, 500);
    yield* page.keys;
    behind = page.next;
  } while (behind);
}
