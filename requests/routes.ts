import type { Action } from '../core/authority.ts';
import type { RequestDoor } from './request.ts';
import { requests } from './requests.ts';
import { senders } from './senders/receive.ts';

/** One thing that can be posted to a deployed installation. */
export interface Route {
  /** Without a slash at its beginning. */
  readonly path: string;
  readonly action: Action;
  readonly door: RequestDoor | 'acknowledge';
}

/**
 * Where a request of the table is posted to. Its action stands in the path, so that a policy of IAM, which takes few characters, grants all
 * requests of an action with one line, those of later releases too.
 */
export const pathOf = (name: string, action: Action): string => `requests/${action}/${name}`;

/** Every route of a deployed installation: the table of requests, and where consumers post their receipts. */
export const routes: readonly Route[] = [
  ...Object.entries(requests).map(([name, { action, door }]): Route => ({ path: pathOf(name, action), action, door })),
  { path: 'receipts', action: 'prove', door: 'acknowledge' },
];

/** Addresses that ask for no identity of ours: each of them checks the sender's own signature over the raw body (requests/senders). */
export const openRoutes: readonly { readonly path: string; readonly door: 'report' }[] = senders.map(({ name }) => ({
  path: `reports/${name}`,
  door: 'report',
}));
