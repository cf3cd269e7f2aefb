import { Refused } from '../errors.ts';
import { keyIdProblem } from '../key-id.ts';
import { leakSources } from '../leak-sources.ts';
import type { Ports } from '../ports.ts';
import { looksSecret } from '../secret-detector.ts';
import { notSaid, type RevokeInput, revoke } from './begin.ts';

/** What the first state of the workflow hands over of an execution that somebody started without an operation. */
export interface BareStart {
  /** The execution's whole input, as it was given. */
  readonly input?: unknown;
  /** The execution's ARN: what caused the revocation, so that the same execution never begins a second one. */
  readonly execution?: string;
}

/**
 * Accept: an execution that was started with only a key's id, and perhaps `reason`, `scope` and `source`, is a request to revoke.
 * Afterwards it was carried out as at the door: fence and first disable in this very attempt, and the proper execution was started.
 * Who asked cannot be known from an input, so the record names the execution. Throws Refused E_SECRET_IN_INPUT, E_INPUT_INVALID
 * or E_NOT_FOUND without any effect, InventoryUnavailable, Fenced.
 */
export async function accept(ports: Ports, payload: BareStart): Promise<Record<string, string | number>> {
  const { execution } = payload;
  if (!execution) throw new Refused('E_INPUT_INVALID', 'an execution without an ARN cannot be told from another');
  const order = orderOf(payload.input);
  const { keyId, operationId, fence, workflow, message } = await revoke(ports, { ...order, requestId: execution }, actorOf(execution));
  return { keyId, operationId, fence, workflow, message };
}

/** INV-24: an input proves nobody. CloudTrail keeps who made the call. */
const actorOf = (execution: string): string =>
  `states:StartExecution of ${execution} (CloudTrail's StartExecution event of this ARN names who)`;

const known = ['keyId', 'reason', 'scope', 'source'];
const reasonLength = 500;
const mostVersions = 100;

function orderOf(input: unknown): Omit<RevokeInput, 'requestId'> {
  const given = typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {};
  if (holdsSecret(input)) {
    throw new Refused(
      'E_SECRET_IN_INPUT',
      'the input holds what looks like a key’s value, and an execution keeps its input: treat the value as leaked, with rekey revoke --leaked -',
    );
  }
  const { keyId, reason = '', scope = 'all', source = 'unknown' } = given;
  const problems = [
    ...(typeof keyId !== 'string' ? ['keyId: must be the id of a key'] : []),
    ...(typeof keyId === 'string' && keyIdProblem(keyId) ? [`keyId: ${keyIdProblem(keyId)}`] : []),
    ...(isLine(reason) ? [] : [`reason: must be one line of at most ${reasonLength} characters`]),
    ...(isScope(scope) ? [] : ['scope: must be "all" or a list of version numbers']),
    ...(isSource(source) ? [] : [`source: must be one of ${leakSources.join(', ')}`]),
    ...(Object.keys(given).every((name) => known.includes(name)) ? [] : [`a field is none of ${known.join(', ')}`]),
  ];
  if (problems.length > 0 || typeof keyId !== 'string' || !isLine(reason) || !isScope(scope) || !isSource(source))
    throw new Refused('E_INPUT_INVALID', `the input is no request to revoke: ${problems.join('; ')}`);
  return { keyId, reason: reason || notSaid, scope, source };
}

function isLine(reason: unknown): reason is string {
  return typeof reason === 'string' && reason.length <= reasonLength && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u.test(reason);
}

function isScope(scope: unknown): scope is RevokeInput['scope'] {
  if (!Array.isArray(scope)) return scope === 'all';
  return scope.length >= 1 && scope.length <= mostVersions && scope.every((number) => Number.isInteger(number) && number >= 1);
}

function isSource(source: unknown): source is RevokeInput['source'] {
  return leakSources.some((one) => one === source);
}

/** Whether any text of the input, also the name of a field, looks like a value. Not recursive: an input may be nested very deeply. */
function holdsSecret(input: unknown): boolean {
  const waiting = [input];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string' && looksSecret(next)) return true;
    if (typeof next === 'object' && next !== null) waiting.push(...Object.keys(next), ...Object.values(next));
  }
  return false;
}
