import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionFailed, InventoryUnavailable, Refused } from '../../core/errors.ts';

/** Conflicts and throttling are retried for this long (protocol.md §5, item 3), and never beyond the call's own deadline. */
const retrySeconds = 5;
const firstPauseMs = 20;
const longestPauseMs = 500;

/**
 * What an attempt that failed means.
 * `not-applied`: the database says that it did nothing and may do it later. `ambiguous`: it may have done it. `final`: asking again is useless.
 */
type Failure =
  | { readonly kind: 'not-applied' | 'ambiguous'; readonly detail: string }
  | { readonly kind: 'final'; readonly error: ConditionFailed | InventoryUnavailable | Refused };

/**
 * Makes one call, again and again with jitter while `repeatable` allows it, and ends within `callSeconds`.
 * `ambiguous: 'give up'` is for calls that must not happen twice: only a failure that certainly wrote nothing is tried again.
 * Throws ConditionFailed, Refused (the request is malformed or too large) or InventoryUnavailable; never what the SDK threw.
 */
export async function call<T>(
  callSeconds: number,
  ambiguous: 'repeat' | 'give up',
  attempt: (signal: AbortSignal, mayHaveHappened: boolean) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(callSeconds * 1000);
  const retryUntil = performance.now() + Math.min(retrySeconds, callSeconds) * 1000;
  let mayHaveHappened = false;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(signal, mayHaveHappened);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'final') throw failure.error;
      mayHaveHappened ||= failure.kind === 'ambiguous';
      const pauseMs = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tries);
      const over = signal.aborted || performance.now() + pauseMs >= retryUntil;
      if (over || (failure.kind === 'ambiguous' && ambiguous === 'give up')) {
        throw new InventoryUnavailable(`the inventory did not do it: ${failure.detail}, ${tries + 1} attempts`);
      }
      await sleep(pauseMs);
    }
  }
}

/** What the AWS SDK throws, read without trusting its class: any part may be missing. */
interface Thrown {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly CancellationReasons?: readonly { readonly Code?: string; readonly Message?: string }[];
}

const busy = new Set([
  'TransactionConflict',
  'TransactionConflictException',
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'ThrottlingError',
  'ThrottlingException',
  'RequestLimitExceeded',
]);

/** No connection was made, so nothing was asked. */
const unreached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Refused) return { kind: 'final', error: thrown };
  const error = thrown as Thrown;
  const name = /^[A-Za-z]{1,60}$/.test(error.name ?? '') ? error.name! : 'Error';
  const status = error.$metadata?.httpStatusCode;
  if (name === 'TransactionCanceledException') return cancelled(error.CancellationReasons ?? []);
  if (name === 'ConditionalCheckFailedException') return { kind: 'final', error: new ConditionFailed(0) };
  if (busy.has(name)) return { kind: 'not-applied', detail: name };
  if (unreached.has(error.code ?? '')) return { kind: 'not-applied', detail: error.code! };
  // An earlier attempt of ours with the same token is still being worked on.
  if (name === 'TransactionInProgressException') return { kind: 'ambiguous', detail: name };
  if (name === 'ValidationException') return { kind: 'final', error: malformed(error.message) };
  if (name === 'CredentialsProviderError') return { kind: 'final', error: new InventoryUnavailable('no AWS credentials were found') };
  if (status !== undefined && status >= 400 && status < 500) {
    return { kind: 'final', error: new InventoryUnavailable(`the inventory answered ${status} ${name}`) };
  }
  return { kind: 'ambiguous', detail: `${status ?? 'no answer'} ${error.code ?? name}` };
}

/** A transaction that was cancelled wrote nothing. The first write that was refused decides; a conflict before it hides whether its own condition holds. */
function cancelled(reasons: NonNullable<Thrown['CancellationReasons']>): Failure {
  const refused = reasons.findIndex((reason) => reason.Code === 'ConditionalCheckFailed');
  const conflict = reasons.findIndex((reason) => busy.has(reason.Code ?? ''));
  if (conflict >= 0 && (refused < 0 || conflict < refused)) return { kind: 'not-applied', detail: reasons[conflict]!.Code! };
  if (refused >= 0) return { kind: 'final', error: new ConditionFailed(refused) };
  const invalid = reasons.find((reason) => reason.Code === 'ValidationError');
  if (invalid) return { kind: 'final', error: malformed(invalid.Message) };
  return { kind: 'final', error: new InventoryUnavailable('the transaction was cancelled for no reason that we know') };
}

function malformed(message = ''): Refused {
  return /size.*exceeded|exceeded.*size/i.test(message)
    ? new Refused('E_TOO_LARGE', 'an item or a key is larger than the inventory takes')
    : new Refused('E_INPUT_INVALID', 'the inventory cannot make this write: it is malformed');
}
