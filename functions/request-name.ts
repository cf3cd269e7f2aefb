import { Refused } from '../core/errors.ts';
import type { Request } from '../requests/request.ts';

/**
 * The name of the request of a door that a path asks for: `requests/<action>/<name>`. The API has compared that action with the caller's policy, so
 * it must be the request's own. Throws Refused E_NOT_FOUND for any other path.
 */
export function requestName(path: string, requests: Readonly<Record<string, Pick<Request, 'action'>>>): string {
  const [, action, name = ''] = /^requests\/([a-z]{1,20})\/([a-z.-]{1,40})$/.exec(path) ?? [];
  if (!Object.hasOwn(requests, name) || requests[name]?.action !== action)
    throw new Refused('E_NOT_FOUND', 'requests are posted to /requests/<action>/<name>');
  return name;
}
