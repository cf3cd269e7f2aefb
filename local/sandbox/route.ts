import type { OperationName } from './behaviour.ts';

export interface Route {
  readonly operation: OperationName;
  /** Empty where the operation has none. */
  readonly principal: string;
  readonly id: string;
  readonly cursor: string | null;
}

const routes: readonly (readonly [OperationName, string, RegExp])[] = [
  ['create', 'POST', /^\/v1\/principals\/([^/]+)\/keys$/],
  ['list', 'GET', /^\/v1\/principals\/([^/]+)\/keys$/],
  ['get', 'GET', /^\/v1\/principals\/([^/]+)\/keys\/([^/]+)$/],
  ['disable', 'POST', /^\/v1\/principals\/([^/]+)\/keys\/([^/]+)\/disable$/],
  ['delete', 'DELETE', /^\/v1\/principals\/([^/]+)\/keys\/([^/]+)$/],
  ['whoami', 'GET', /^\/v1\/whoami$/],
  ['work', 'GET', /^\/v1\/work$/],
];

/** The vendor's operation that a request asks for, or undefined. */
export function matchRoute(method: string, url: URL): Route | undefined {
  for (const [operation, verb, shape] of routes) {
    const found = verb === method ? shape.exec(url.pathname) : null;
    if (found) return { operation, principal: decoded(found[1]), id: decoded(found[2]), cursor: url.searchParams.get('cursor') };
  }
  return undefined;
}

function decoded(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return '';
  }
}
