import { Refused } from '../core/errors.ts';

/** The name of the request that a path asks for: `requests/<name>`. Throws Refused E_NOT_FOUND for any other path. */
export function requestName(path: string): string {
  const name = /^requests\/([a-z.-]{1,40})$/.exec(path)?.[1];
  if (!name) throw new Refused('E_NOT_FOUND', 'requests are posted to /requests/<name>');
  return name;
}
