import { DestinationUnavailable, InventoryUnavailable, ProviderRefused, ProviderUnavailable } from '../../../core/errors.ts';
import type { Credential } from '../../../core/ports.ts';
import { type CallName, isWrite } from '../worker.ts';
import { unavailable } from './calls.ts';
import type { FaultKind, Meet } from './fault.ts';

const ofProvider = (name: CallName): boolean => name.startsWith('provider.');
const ofInventory = (name: CallName): boolean => name.startsWith('inventory.');

/** A probe never throws for an answer that says nothing: it is inconclusive. */
const answers =
  (detail: string, landed: 'no' | 'yes' | 'perhaps'): Meet =>
  async ({ name, land }, chance) => {
    if (name === 'provider.probe') return { verdict: 'inconclusive', detail };
    if (landed === 'yes' || (landed === 'perhaps' && chance.below(2) === 1)) await land();
    throw new ProviderUnavailable(detail);
  };

/** An outage of a share of the calls: what is retried often enough gets through. */
const often =
  (meet: Meet): Meet =>
  async (call, chance) =>
    chance.below(4) === 0 ? call.land() : meet(call, chance);

const refused: Meet = async ({ name }) => {
  if (name === 'provider.probe') return { verdict: 'inconclusive', detail: 'status 400' };
  throw new ProviderRefused('status 403, the admin credential was refused');
};

/** What was listed a moment ago: the newest credentials are missing. */
const staleList: Meet = async ({ land }) =>
  ((await land()) as Credential[]).filter(({ createdAt }) => Date.parse(createdAt ?? '') < Date.now() - 2000);

const throttled: Meet = async () => {
  throw new InventoryUnavailable('ThrottlingException');
};

const conflict: Meet = async () => {
  throw new InventoryUnavailable('TransactionConflict');
};

const ambiguous: Meet = async ({ land, name }, chance) => {
  if (chance.below(2) === 1 || !isWrite(name)) await land();
  throw new InventoryUnavailable('500, whether it was written is unknown');
};

const without: Meet = async () => undefined;

const noDecrypt: Meet = async () => {
  throw new DestinationUnavailable('the key that decrypts values is disabled');
};

const down: Meet = async ({ name }) => {
  throw unavailable(name, 'down');
};

/** What outside systems may answer, for a while. */
export const answerFaults: readonly FaultKind[] = [
  { name: 'the provider answers 429', spell: { fits: ofProvider, meet: often(answers('status 429', 'no')) } },
  { name: 'the provider answers 500', spell: { fits: ofProvider, meet: often(answers('status 500', 'perhaps')) } },
  { name: 'the provider answers 503', spell: { fits: ofProvider, meet: answers('status 503', 'no') } },
  { name: 'the provider refuses for good', spell: { fits: ofProvider, meet: often(refused) } },
  { name: 'the provider’s answer is malformed', spell: { fits: ofProvider, meet: often(answers('status 200, no JSON', 'yes')) } },
  { name: 'the provider’s answer is cut short', spell: { fits: ofProvider, meet: often(answers('the body ended early', 'yes')) } },
  {
    name: 'somebody else answers for the provider',
    spell: { fits: (name) => name === 'provider.probe', meet: answers('without the vendor’s identity', 'no') },
  },
  { name: 'connections are reset', spell: { fits: ofProvider, meet: often(answers('ECONNRESET', 'perhaps')) } },
  { name: 'names do not resolve', spell: { fits: ofProvider, meet: answers('ENOTFOUND', 'no') } },
  {
    name: 'a new credential is not accepted yet',
    turns: (switches, by) => {
      switches.activateSeconds += 3 * by;
    },
  },
  {
    name: 'a disable is not effective yet',
    turns: (switches, by) => {
      switches.revokeSeconds += 6 * by;
    },
  },
  { name: 'the list is not consistent yet', spell: { fits: (name) => name === 'provider.list', meet: staleList } },
  { name: 'the inventory is throttled', spell: { fits: ofInventory, meet: often(throttled) } },
  { name: 'transactions conflict', spell: { fits: (name) => name === 'inventory.write', meet: often(conflict) } },
  { name: 'the inventory answers 500', spell: { fits: ofInventory, meet: often(ambiguous) } },
  {
    name: 'the index is stale',
    turns: (switches, by) => {
      switches.staleIndexSeconds += 15 * by;
    },
  },
  { name: 'the orchestrator is down', spell: { fits: (name) => name.startsWith('executions.'), meet: down } },
  { name: 'notices cannot be sent', spell: { fits: (name) => name === 'notifier.publish' || name === 'pager.page', meet: down } },
  { name: 'destinations do not answer', spell: { fits: (name) => name.startsWith('destination.'), meet: often(down) } },
  { name: 'a value is deleted from the secret store', spell: { fits: (name) => name === 'secrets.read', meet: without } },
  { name: 'values cannot be decrypted', spell: { fits: (name) => name === 'secrets.read' || name === 'secrets.put', meet: noDecrypt } },
];
