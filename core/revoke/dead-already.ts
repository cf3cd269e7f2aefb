import { commit } from '../commit.ts';
import type { Write } from '../inventory.ts';
import { versionKey } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports, Subject, Verdict } from '../ports.ts';
import { instant } from '../time.ts';
import type { Version } from '../version.ts';

/**
 * Asks once more about versions that were proven dead: the provider's list, then each value that is stored, used once. `alive`: what is still
 * accepted. `untried`: nothing is, but these could not be tried. Undefined, without the list or where one is enabled: nothing is taken for dead.
 */
export async function askAgain(
  ports: Ports,
  key: Key,
  versions: readonly Version[],
): Promise<{ readonly alive: readonly number[] } | { readonly untried: readonly number[] } | undefined> {
  const { id: keyId, account, params } = key.facts;
  const subject: Subject = { keyId, account, params };
  try {
    const listed = await ports.provider(key.facts.provider).list(subject);
    if (listed.some((one) => one.enabled && versions.some(({ credentialId }) => credentialId === one.credentialId))) return undefined;
  } catch {
    return undefined;
  }
  const tried = await Promise.all(versions.map(async (version) => ({ version, verdict: await tryOnce(ports, key, subject, version) })));
  const numbers = (wanted: Verdict) => tried.filter(({ verdict }) => verdict === wanted).map(({ version }) => version.number);
  const alive = numbers('alive');
  return alive.length > 0 ? { alive } : { untried: numbers('inconclusive') };
}

/** A value that is no longer stored cannot be tried by anybody: the list has to do. */
async function tryOnce(ports: Ports, key: Key, subject: Subject, { token }: Version): Promise<Verdict> {
  if (!token) return 'denied';
  try {
    const value = await ports.secrets.read(subject.keyId, token);
    return value ? (await ports.provider(key.facts.provider).probe(subject, value)).verdict : 'denied';
  } catch {
    return 'inconclusive';
  }
}

/**
 * A report about versions that are dead already: marked as compromised for ever. Those that could not be tried just now, as by a function that
 * has no right to values, are watched from now on as after a death: the reconciler tries them at once, and opens the incident where one works.
 */
export async function markDead(
  ports: Ports,
  { keyId, reason, requestId }: { readonly keyId: string; readonly reason: string; readonly requestId: string },
  numbers: readonly number[],
  untried: readonly number[],
  actor: string,
): Promise<void> {
  const now = instant(ports.clock.now());
  const watched = untried.map((version) => ({ version, look: -1, at: now, deadAt: now }));
  const detail = { versions: numbers.join(' '), ...(untried.length > 0 ? { untried: untried.join(' ') } : {}) };
  // Under a new fence: an attempt that read these versions before must not write them back as they were.
  await commit(ports, keyId, (fresh) => ({
    actor,
    permit: 'toward dead',
    fence: fresh.fence,
    set: {
      fence: fresh.fence + 1,
      ...(untried.length > 0 ? { watch: [...(fresh.watch ?? []).filter(({ version }) => !untried.includes(version)), ...watched] } : {}),
    },
    writes: numbers.map(
      (number): Write => ({
        do: 'update',
        key: versionKey(keyId, number),
        change: { set: { compromised: true } },
        when: [{ item: 'exists' }],
      }),
    ),
    events: [{ event: 'revocation.not-needed', detail: { ...detail, reason, request: requestId } }],
  }));
}
