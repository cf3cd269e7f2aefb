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

/** Every route of a deployed installation: the table of requests, and where consumers post their receipts. */
export const routes: readonly Route[] = [
  ...Object.entries(requests).map(([name, { action, door }]): Route => ({ path: `requests/${name}`, action, door })),
  { path: 'receipts', action: 'prove', door: 'acknowledge' },
];

/** Addresses that ask for no identity of ours: each of them checks the sender's own signature over the raw body (requests/senders). */
export const openRoutes: readonly { readonly path: string; readonly door: 'report' }[] = senders.map(({ name }) => ({
  path: `reports/${name}`,
  door: 'report',
}));
