import { DestinationUnavailable, InventoryUnavailable, ProviderUnavailable } from '../../../core/errors.ts';
import { settings } from '../settings.ts';
import { type CallName, isWrite, never, sleep } from '../worker.ts';
import type { FaultKind, Meet } from './fault.ts';

/** Of one instant in a function's life: a pause that ends after the function's time-out, within the in-flight bound. */
const pauseSeconds = settings.functionSeconds + settings.settleSeconds - 1;

/** What a port says when nobody knows whether the call took effect. */
export function unavailable(name: CallName, why: string): Error {
  if (name.startsWith('inventory.')) return new InventoryUnavailable(why);
  return name.startsWith('provider.') ? new ProviderUnavailable(why) : new DestinationUnavailable(why);
}

const crashBefore: Meet = async ({ worker }) => {
  worker.gone = true;
  return never();
};

const crashAfter: Meet = async ({ worker, land }) => {
  await land().catch(() => undefined);
  worker.gone = true;
  return never();
};

const errorBefore: Meet = async ({ name }) => {
  throw unavailable(name, 'no answer');
};

const timeoutAfterSuccess: Meet = async ({ name, land }) => {
  await land();
  throw unavailable(name, 'the answer was lost');
};

const slow: Meet = async ({ land }) => {
  await sleep(settings.callSeconds * 0.9);
  return land();
};

/** At least once: the network made it twice. A transaction carries its token, so the second one changes nothing. */
const duplicate: Meet = async ({ name, land }) => {
  const result = await land();
  if (name !== 'inventory.write' && name !== 'inventory.update') await land().catch(() => undefined);
  return result;
};

/** The function sleeps here, is given up by its workflow, and wakes: the call is made late, and the worker goes on. */
const paused: Meet = async ({ worker, land }) => {
  worker.endsAt = worker.startedAt + (settings.functionSeconds + settings.settleSeconds) * 1000;
  await sleep(Math.max(0, worker.startedAt / 1000 + pauseSeconds - Date.now() / 1000));
  return land();
};

/** The caller gives up after its deadline; what it asked for is done later, within the time a provider may still act. */
const doneLate: Meet = async ({ name, land }) => {
  await sleep(settings.callSeconds);
  void sleep(settings.settleSeconds * 0.9)
    .then(land)
    .catch(() => undefined);
  throw unavailable(name, 'no answer within the deadline');
};

/** Somebody on the way says that it was done. */
const saidToBeDone: Meet = async () => undefined;

/** What can happen to any one external write. */
export const callFaults: readonly FaultKind[] = [
  { name: 'crash before', strike: { fits: isWrite, meet: crashBefore } },
  { name: 'crash after', strike: { fits: isWrite, meet: crashAfter } },
  { name: 'error before', strike: { fits: isWrite, meet: errorBefore } },
  { name: 'time-out after success', strike: { fits: isWrite, meet: timeoutAfterSuccess } },
  { name: 'slow', strike: { fits: isWrite, meet: slow } },
  { name: 'duplicate', strike: { fits: isWrite, meet: duplicate } },
  { name: 'paused and resumed', strike: { fits: isWrite, meet: paused } },
  { name: 'said to be done, and never done', strike: { fits: (name) => name === 'destination.write', meet: saidToBeDone } },
  // The port's answer to a name that is taken: nothing happens.
  { name: 'an execution of that name was there', strike: { fits: (name) => name === 'executions.start', meet: saidToBeDone } },
  { name: 'given up, then done late', strike: { fits: (name) => isWrite(name) && !name.startsWith('inventory.'), meet: doneLate } },
];
