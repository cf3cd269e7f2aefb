import * as z from 'zod/mini';
import type { Hint } from '../core/inventory.ts';
import { keyIdProblem } from '../core/key-id.ts';
import type { Page, PageRequest } from '../core/search.ts';

/** The most keys that are looked at for one page, and how many are where nobody says. */
const most = 2000;
const usual = 1000;

/** Where the next page begins, as it was told: only a place in the index, so that a made-up one reads nothing that was not there to read. */
const place = z.string().check(
  z.maxLength(400),
  z.refine((text: string) => placeOf(text) !== null, 'is no place of a page that was given before'),
);

/** The fields by which a request asks for a page. */
export const pageFields = { behind: z.exactOptional(place), limit: z.exactOptional(z.int().check(z.minimum(1), z.maximum(most))) };

/** The page that a request asks for. */
export function pageRequest({ behind, limit }: { readonly behind?: string | undefined; readonly limit?: number | undefined }): PageRequest {
  return { behind: behind === undefined ? null : placeOf(behind), limit: limit ?? usual };
}

/** A page as it is answered: the place behind it is a text to hand back. */
export function answered<Row>({ rows, looked, next }: Page<Row>): { rows: readonly Row[]; looked: number; next: string | null } {
  return { rows, looked, next: next && `${next.at} ${next.keyId}` };
}

function placeOf(text: string): Hint | null {
  const [at = '', keyId = '', ...more] = text.split(' ');
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at);
  return isInstant && more.length === 0 && keyIdProblem(keyId) === undefined ? { at, keyId } : null;
}
