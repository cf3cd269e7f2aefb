import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Journey } from './journey.ts';

/** All that there are. A file that is lost, or says nothing, is no journey that passed. */
export const letters = 'abcdefghij';

/** Every file of `journeys/` exports one `journey`. Throws an Error unless they are exactly those of `letters`. */
export async function readJourneys(): Promise<Journey[]> {
  const folder = join(import.meta.dirname, 'journeys');
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const modules = await Promise.all(files.map(async (file) => (await import(join(folder, file))) as { journey?: Journey }));
  const journeys = modules.flatMap(({ journey }) => journey ?? []).sort((a, b) => (a.letter < b.letter ? -1 : 1));
  const found = journeys.map(({ letter }) => letter).join('');
  if (found !== letters) throw new Error(`the journeys are ${found}, and must be ${letters}`);
  return journeys;
}
