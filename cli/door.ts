import type { RefusalCode } from '../core/errors.ts';
import { Refused, refusals } from '../core/errors.ts';
import type { SecretStore } from '../core/ports.ts';
import { Failed } from './output.ts';

/** One installation of Rekey, as the command line reaches it. */
export interface Door {
  readonly kind: 'local' | 'deployed';
  /** Which one it is, for people: an address or a stage. */
  readonly name: string;
  /** Asks for something by the name it has in requests.ts. Throws Refused as the other side refused it, E_UNREACHABLE, E_CREDENTIALS; Failed. */
  ask<Result>(request: string, input: object): Promise<Result>;
  /** The secret store itself, with the caller's own rights: a value never travels in a request. */
  secrets(): Promise<SecretStore>;
}

/**
 * Posts a request and reads its answer, whatever the authentication. Throws Refused with the other side's own code and problems;
 * E_UNREACHABLE with `advice` when there is no answer, and saying what that means when nobody knows how far the request came; Failed for
 * an answer that is no answer of Rekey's.
 */
export async function post<Result>(
  url: string,
  headers: Record<string, string>,
  body: string,
  seconds: number,
  advice: string,
): Promise<Result> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(seconds * 1000) });
    text = await response.text();
  } catch (error) {
    const late = (error as Error).name === 'TimeoutError';
    throw new Refused('E_UNREACHABLE', late ? `no answer within ${seconds} s; ${uncertain}` : advice);
  }
  const answer = parse(text);
  if (response.ok && answer && 'result' in answer) return answer.result as Result;
  if (answer?.error) throw failure(answer.error);
  if (response.status === 403) throw notAllowed(answer);
  if (response.status === 429)
    throw new Refused('E_UNREACHABLE', 'too many requests at once, and this one was not done: repeat the command');
  if (response.status >= 500) throw new Refused('E_UNREACHABLE', `no answer in time (HTTP ${response.status}); ${uncertain}`);
  throw new Failed('E_INTERNAL', `the answer is not one of Rekey's (HTTP ${response.status}). ${advice}`);
}

/** True of every request: each is named by what it is about, and the core refuses or repeats what it has done already. */
const uncertain =
  'it may have been done, in whole or in part. Repeat the command: nothing is done twice, and what was begun is finished in any case';

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: string; readonly message?: string; readonly problems?: readonly { path: string; message: string }[] };
  /** What AWS itself says when it lets nobody through. */
  readonly message?: string;
  readonly Message?: string;
}

function parse(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

function failure({ code = 'E_INTERNAL', message = 'it did not work', problems = [] }: NonNullable<Answer['error']>): Error {
  return Object.hasOwn(refusals, code) ? new Refused(code as RefusalCode, message, problems) : new Failed(code, message);
}

function notAllowed(answer: Answer | undefined): Refused {
  if (/expired|security token|signature/i.test(answer?.message ?? answer?.Message ?? '')) {
    return new Refused(
      'E_CREDENTIALS',
      'AWS does not accept these credentials: they are expired or not valid. Sign in again, then repeat the command',
    );
  }
  return new Refused('E_FORBIDDEN', 'these credentials may not do that; "rekey who-can" says who may');
}
