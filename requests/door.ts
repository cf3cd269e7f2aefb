import { type Problem, Refused, SchemaTooNew, TableRestored } from '../core/errors.ts';
import { keyIdProblem } from '../core/key-id.ts';
import type { Ports } from '../core/ports.ts';
import { hasVendorSecret, looksSecret, shownName } from '../core/secret-detector.ts';
import { nearestKeys } from '../core/show.ts';
import { checkShape } from './body.ts';
import type { Caller, Request } from './request.ts';

/** Answers one request of a table of requests. */
type Answer = (ports: Ports, name: string, input: unknown, caller: Caller) => Promise<unknown>;

/**
 * The one door behind every way in, for the requests of a table: checks who may ask what, refuses what could hold a value, and does it.
 * Whoever has not the right is logged by name: E_FORBIDDEN.
 * Its answer throws Refused with a stable code and the paths of what is wrong (E_NOT_FOUND also names the keys that are spelled
 * nearest), or the named errors of the core. No message repeats what was given.
 */
export function doorOf(table: Readonly<Record<string, Request>>): Answer {
  return async (ports, name, input, caller) => {
    const request = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!request)
      throw new Refused('E_NOT_FOUND', 'there is no request of that name', [{ path: '', message: Object.keys(table).join(', ') }]);
    try {
      if (caller.via !== 'operate' && request.door !== caller.via)
        throw new Refused('E_FORBIDDEN', `${name} is not for the ${caller.via} door`);
      checkShape(input);
      refuseSecrets(input);
      return await request.run(ports, input, caller.actor);
    } catch (error) {
      if (error instanceof Refused && error.code === 'E_FORBIDDEN')
        ports.log.warn('somebody has not the right to this', { request: name, actor: caller.actor, because: error.message });
      if (error instanceof TableRestored) throw new Refused('E_READ_ONLY', error.message);
      if (error instanceof SchemaTooNew) throw new Refused('E_SCHEMA_TOO_NEW', error.message);
      throw error instanceof Refused && error.code === 'E_NOT_FOUND' ? await withNearest(ports, error, input) : error;
    }
  };
}

/** Throws Refused E_SECRET_IN_INPUT naming every field but `leaked` that looks like a key's value. */
function refuseSecrets(input: unknown): void {
  const problems: Problem[] = [];
  const look = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'string') {
      if (isSuspect(value, path)) problems.push({ path: path.join('.'), message: 'looks like a key’s value' });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, element] of Object.entries(value)) {
        if (looksSecret(name)) problems.push({ path: [...path, shownName(name)].join('.'), message: 'the name looks like a key’s value' });
        look(element, [...path, shownName(name)]);
      }
    }
  };
  look(input, []);
  if (problems.length === 0) return;
  throw new Refused(
    'E_SECRET_IN_INPUT',
    'a field looks like a key’s value; nothing was stored. If it is a real one, treat it as leaked: rekey revoke --leaked -',
    problems,
  );
}

/** Vendors' own ids are irregular too: where one is expected, only a known vendor's shape of secret or a very long run counts. */
function isSuspect(value: string, path: readonly string[]): boolean {
  const [first, second] = path;
  // Strings that are looked up, one or many; they are kept nowhere.
  if (first === 'leaked' && (path.length === 1 || (path.length === 2 && /^\d+$/.test(second ?? '')))) return false;
  if (isReported(path)) return path.at(-1) !== 'leaked' && hasVendorSecret(value);
  if (isPublic(path)) return hasVendorSecret(value);
  if (path.length === 1 && (first === 'credentialId' || first === 'requestId' || first === 'token')) return hasVendorSecret(value);
  return first === 'facts' && second === 'params' ? looksSecret(value, 40) : looksSecret(value);
}

/** Hashes, signatures and public keys are as irregular as secrets, and are none. */
function isPublic([first, second = '', third = '']: readonly string[]): boolean {
  if (second === '') return first === 'signer' || first === 'publicKey';
  return first === 'records' && /^\d+$/.test(second) && ['hash', 'prevHash', 'signature', 'credentialId'].includes(third);
}

/** What a scanner found, and where: the string itself is looked up and kept nowhere; its place holds hashes of commits. */
function isReported([first, second = '', third = '']: readonly string[]): boolean {
  if (first === 'findings') return /^\d+$/.test(second) && ['leaked', 'id', 'evidence', 'rule', 'says', 'at'].includes(third);
  return (
    first === 'event' &&
    (second === 'id' || second === 'evidence' || (second === 'subject' && (third === 'leaked' || third === 'credentialId')))
  );
}

async function withNearest(ports: Ports, error: Refused, input: unknown): Promise<Refused> {
  const { keyId, facts } = (typeof input === 'object' && input !== null ? input : {}) as { keyId?: unknown; facts?: unknown };
  if (facts !== undefined || typeof keyId !== 'string' || keyIdProblem(keyId)) return error;
  const near = await nearestKeys(ports, keyId);
  if (near.length === 0 || near.includes(keyId)) return error;
  return new Refused(error.code, error.message, [...error.problems, { path: 'keyId', message: `did you mean ${near.join(', ')}?` }]);
}
