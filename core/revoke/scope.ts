import type { RevokeRequest } from '../key.ts';
import type { Version } from '../version.ts';

/**
 * The versions that requests cover: the named ones, or, for `all`, every one that is not destroyed. A version that was being minted
 * when the fence rose is covered by `all` like any other.
 */
export function inScope(versions: readonly Version[], scopes: readonly RevokeRequest['scope'][]): Version[] {
  return versions.filter((version) =>
    scopes.some((scope) => (scope === 'all' ? version.state !== 'destroyed' : scope.includes(version.number))),
  );
}

/** Leak sources after which handing out a new value could hand it to the finder: the reissue waits for a responder. */
export function holdsReissue(requests: readonly Pick<RevokeRequest, 'source' | 'hold'>[]): boolean {
  return requests.some(({ source, hold }) => hold === true || source === 'destination' || source === 'unknown');
}
