import { Value } from '../../../core/value.ts';
import type { KeyRecord } from '../oracle.ts';
import type { FaultKind, Reach } from './fault.ts';

const oneOf = <T>({ choose }: Reach, all: readonly T[]): T | undefined => all[choose.below(Math.max(1, all.length))];

const aKey = (reach: Reach): KeyRecord | undefined => oneOf(reach, [...reach.oracle.keys.values()]);

/** An operator brings a dead credential back in the vendor's console. */
function enablesAgain(reach: Reach): void {
  const key = aKey(reach);
  const dead =
    key &&
    oneOf(
      reach,
      key.provider.credentials().filter(({ enabled }) => !enabled),
    );
  if (!key || !dead) return;
  key.byHand.enabled.add(dead.credentialId);
  key.provider.enableInConsole(dead.credentialId);
  reach.say(`an operator enables ${dead.credentialId} again in the vendor’s console`);
}

/** An operator disables what is in use. */
async function disablesInConsole(reach: Reach): Promise<void> {
  const key = aKey(reach);
  const live =
    key &&
    oneOf(
      reach,
      key.provider.credentials().filter(({ enabled }) => enabled),
    );
  if (!key || !live) return;
  key.byHand.disabled.add(live.credentialId);
  await key.provider.disable({ keyId: key.facts.id, account: '', params: {} }, live.credentialId);
  reach.say(`an operator disables ${live.credentialId} in the vendor’s console`);
}

function strangerAppears(reach: Reach): void {
  const key = aKey(reach);
  if (!key) return;
  const { credentialId, value } = key.provider.stranger(`by hand ${reach.choose.below(1000)}`);
  reach.oracle.credentialOf.set(value.reveal(), credentialId);
  key.byHand.made.add(credentialId);
  reach.say(`somebody makes ${credentialId} by hand at the vendor of ${key.facts.id}`);
}

async function movesLabel(reach: Reach): Promise<void> {
  const key = aKey(reach);
  if (!key) return;
  const { AWSCURRENT: from } = await reach.bare.secrets.labels(key.facts.id);
  const to = oneOf(
    reach,
    [...key.versions.values()].filter(({ token }) => token && token !== from),
  );
  if (!from || !to?.token) return;
  key.byHand.labels += 1;
  await reach.bare.secrets.promote(key.facts.id, to.token, from);
  reach.say(`somebody moves AWSCURRENT of ${key.facts.id} to version ${to.number}`);
}

async function overwrites(reach: Reach): Promise<void> {
  const key = aKey(reach);
  const spec = key && oneOf(reach, key.facts.destinations);
  if (!spec) return;
  key.overwritten.add(spec.at);
  reach.oracle.holding.set(spec.at, null);
  await reach.bare.destination(spec.kind).write(spec, new Value('written by somebody else'), reach.choose.id());
  reach.say(`somebody overwrites ${spec.at}`);
}

/** What people, schedules, machines and clocks do. */
export const outsideFaults: readonly FaultKind[] = [
  { name: 'an operator enables a dead credential', happens: enablesAgain },
  { name: 'an operator disables a live credential', happens: disablesInConsole },
  { name: 'a stranger makes a credential', happens: strangerAppears },
  { name: 'somebody moves a label', happens: movesLabel },
  { name: 'somebody overwrites a destination', happens: overwrites },
  { name: 'an execution is stopped', happens: (reach) => reach.stopExecution() },
  { name: 'an execution is redriven', happens: (reach) => reach.redrive() },
  { name: 'the machine loses power', happens: (reach) => reach.powerLoss() },
  {
    name: 'the schedule fires twice',
    turns: (switches, by) => {
      switches.scheduleTwice += by;
    },
  },
  {
    name: 'the schedule does not fire',
    turns: (switches, by) => {
      switches.scheduleMisses += by;
    },
  },
  {
    name: 'the schedule fires late',
    turns: (switches, by) => {
      switches.scheduleLateSeconds += 7 * by;
    },
  },
  {
    name: 'notices arrive twice',
    turns: (switches, by) => {
      switches.noticesTwice += by;
    },
  },
  {
    name: 'notices arrive late',
    turns: (switches, by) => {
      switches.noticesLateSeconds += 45 * by;
    },
  },
  {
    name: 'notices arrive in another order',
    turns: (switches, by) => {
      switches.noticesReordered += by;
    },
  },
  {
    name: 'notices are lost on their way',
    turns: (switches, by) => {
      switches.noticesLost += by;
    },
  },
  {
    name: 'the log cannot be written',
    turns: (switches, by) => {
      switches.fullLogs += by;
    },
  },
  {
    name: 'a clock is ahead',
    turns: (switches, by) => {
      switches.skewMs += 450 * by;
    },
  },
  {
    name: 'a clock is behind',
    turns: (switches, by) => {
      switches.skewMs -= 450 * by;
    },
  },
  {
    name: 'a service reads a stale cache',
    turns: (switches, by) => {
      switches.staleCaches += by;
    },
  },
  {
    name: 'services fall silent',
    turns: (switches, by) => {
      switches.silentServices += by;
    },
  },
  {
    name: 'services send wrong proofs',
    turns: (switches, by) => {
      switches.wrongProofs += by;
    },
  },
];
