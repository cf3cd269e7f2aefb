import { setTimeout as pause } from 'node:timers/promises';
import { ProviderUnavailable, Refused } from '../../core/errors.ts';
import type { Provider, Subject, Verdict } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';

/** What a real vendor was seen to do with one throw-away key. Times in seconds from the call to the first of the answers in a row that settle it. */
export interface Observed {
  readonly provider: string;
  readonly label: string;
  readonly on: string;
  readonly acceptedAfterSeconds: number;
  readonly refusedAfterSeconds: number;
  /** How often the verdict changed back before it settled. */
  readonly flickers: number;
  readonly labelListed: boolean;
  readonly neverIssued: Verdict;
  /** The vendor lists what it listed before, and nothing else. */
  readonly listAsBefore: boolean;
}

export interface LiveCheckOptions {
  readonly provider: Provider;
  readonly subject: Subject;
  readonly label: string;
  readonly random: string;
  readonly say: (line: string) => void;
  /** Instead of the spec's own pace. */
  readonly everySeconds?: number;
  readonly now?: () => number;
}

/** Twice the spec's budget and a minute: a vendor that takes longer is told by its name. */
const patienceSeconds = (budget: number): number => 2 * budget + 60;

/**
 * Creates one throw-away key, sees it accepted, disables it, sees it refused, and deletes it; whatever happens, the key is deleted at the end,
 * or named for a person to delete, and so is one whose create got no answer. Nothing else at the vendor is touched. Throws Refused E_INPUT_INVALID where a new key would end
 * the one in use, E_NOT_ACCEPTED when the vendor does not do it in time; and what the vendor's calls throw.
 */
export async function checkLive(options: LiveCheckOptions): Promise<Observed> {
  const { provider, subject, label, random, say, now = Date.now } = options;
  const { traits } = provider;
  if (traits.pattern !== 'additive' && traits.pattern !== 'slots')
    throw new Refused(
      'E_INPUT_INVALID',
      `a throw-away key at ${provider.name} would end the one in use (pattern ${traits.pattern}): nothing was done`,
    );
  const before = (await provider.list(subject)).map(({ credentialId }) => credentialId);
  if (before.length >= traits.maxLive) throw new Refused('E_BUSY', `all ${traits.maxLive} places are taken: nothing was done`);
  say(`${before.length} key(s) are there; they are left alone`);
  const supplied = provider.draw?.(random);
  const createdAt = now();
  const { credentialId, value } = await provider.create(subject, label, supplied ? { value: supplied } : {}).catch(async (error) => {
    if (error instanceof ProviderUnavailable) await removeLost(options, before, supplied);
    throw error;
  });
  say(`created …${credentialId.slice(-4)} as ${label}`);
  let deleted = false;
  try {
    const accepted = await settle(options, value, 'alive', createdAt);
    say(`accepted after ${accepted.seconds} s`);
    const listed = (await provider.list(subject)).find((one) => one.credentialId === credentialId);
    const control = await provider.probe(subject, provider.neverIssued(random));
    const endedAt = now();
    deleted = (await provider.disable(subject, credentialId)) === 'disabled' && traits.disable === 'delete';
    say(traits.disable === 'delete' ? 'deleted, which is its only end' : 'disabled');
    const refused = await settle(options, value, 'denied', endedAt);
    say(`refused after ${refused.seconds} s`);
    await provider.delete(subject, credentialId);
    deleted = true;
    const after = (await provider.list(subject)).map((one) => one.credentialId);
    return {
      provider: provider.name,
      label,
      on: new Date(createdAt).toISOString().slice(0, 10),
      acceptedAfterSeconds: accepted.seconds,
      refusedAfterSeconds: refused.seconds,
      flickers: accepted.flickers + refused.flickers,
      labelListed: listed?.label === label,
      neverIssued: control.verdict,
      listAsBefore: JSON.stringify(after.sort()) === JSON.stringify([...before].sort()),
    };
  } finally {
    if (!deleted) await removeOrName(options, credentialId);
  }
}

async function settle(options: LiveCheckOptions, value: Value, wanted: 'alive' | 'denied', since: number) {
  const { provider, subject, now = Date.now } = options;
  const { traits } = provider;
  const budget = wanted === 'alive' ? traits.activateSeconds : traits.revokeSeconds;
  const needed = traits.probe[wanted];
  let [count, flickers, first] = [0, 0, 0];
  for (;;) {
    const at = now();
    const { verdict } = await provider.probe(subject, value);
    if (verdict === wanted) {
      if (count === 0) first = at;
      count++;
    } else if (verdict !== 'inconclusive') {
      if (count > 0) flickers++;
      count = 0;
    }
    if (count >= needed) return { seconds: Math.max(0, Math.round((first - since) / 100) / 10), flickers };
    if ((now() - since) / 1000 > patienceSeconds(budget))
      throw new Refused('E_NOT_ACCEPTED', `${provider.name}: not ${wanted} ${needed} times in a row within ${patienceSeconds(budget)} s`);
    await pause((options.everySeconds ?? traits.probe.everySeconds) * 1000);
  }
}

/** A create without an answer may have made its key all the same: it is looked for by its value and by its label, and taken away. */
async function removeLost(options: LiveCheckOptions, before: readonly string[], supplied: Value | undefined): Promise<void> {
  const { provider, subject, label, say } = options;
  const lost = async () =>
    (supplied && (await provider.find?.(subject, supplied))) ??
    (await provider.list(subject)).find((one) => one.label === label && !before.includes(one.credentialId))?.credentialId;
  const credentialId = await lost().catch(() => undefined);
  if (credentialId !== undefined) await removeOrName(options, credentialId);
  else say(`THE THROW-AWAY KEY MAY BE THERE: if ${label} appears at the vendor, delete it yourself`);
}

async function removeOrName({ provider, subject, label, say }: LiveCheckOptions, credentialId: string): Promise<void> {
  try {
    if (provider.traits.disable === 'disable') await provider.disable(subject, credentialId);
    await provider.delete(subject, credentialId);
    say('the throw-away key was deleted');
  } catch {
    say(`THE THROW-AWAY KEY IS STILL THERE: delete ${label} (…${credentialId.slice(-4)}) at the vendor yourself`);
  }
}
