import { addSighting, hasCertificate, type Sighting } from '../certificate.ts';
import { commit } from '../commit.ts';
import type { Write } from '../inventory.ts';
import { findVersion } from '../items.ts';
import type { Key, Watch } from '../key.ts';
import type { Policy } from '../policy.ts';
import type { Credential, Ports, Subject } from '../ports.ts';
import { after, instant } from '../time.ts';
import type { Version } from '../version.ts';
import { reopen } from './reopen.ts';

/** The looks at the versions of a revocation that was contained just now, beside those of earlier ones that are still to come. */
export function watchFrom({ watchSeconds }: Policy, key: Key, scope: readonly number[], deadAt: string): Watch[] {
  const [first] = watchSeconds;
  const others = (key.watch ?? []).filter(({ version }) => !scope.includes(version));
  if (first === undefined) return others;
  return [...others, ...scope.map((version) => ({ version, look: 0, at: after(deadAt, first), deadAt }))];
}

/** When the next look at a revoked version of a key is due, or null. */
export function nextWatch(key: Key): string | null {
  return (key.watch ?? []).map(({ at }) => at).sort()[0] ?? null;
}

/**
 * Tries every revoked version whose look has come: uses its value once, and looks at the provider's list. What is refused goes on its
 * certificate, and the next look is set. What is accepted, or listed as enabled, opens the incident again by itself. An answer that cannot be
 * judged is asked for again at the next round. Costs a list and a probe for each look that is due, and nothing otherwise.
 */
export async function watchDead(ports: Ports, key: Key): Promise<string[]> {
  const now = instant(ports.clock.now());
  const due = (key.watch ?? []).filter(({ at }) => at <= now);
  // While it is being revoked, that is what Validate does.
  if (due.length === 0 || key.state === 'revoking') return [];
  const { id: keyId, account, params, provider } = key.facts;
  const subject: Subject = { keyId, account, params };
  const listed = await ports.provider(provider).list(subject);
  const done: string[] = [];
  for (const watch of due) {
    const version = await findVersion(ports, keyId, watch.version);
    const sighting = version && (await look(ports, key, subject, version, listed));
    if (sighting?.verdict === 'inconclusive') continue;
    if (sighting && (sighting.verdict === 'alive' || sighting.listed === 'enabled')) {
      await reopen(ports, keyId, watch.version, sighting);
      // The revocation sets the looks anew.
      return [...done, `version ${watch.version} is alive again`];
    }
    await noteDead(ports, keyId, watch, sighting);
    done.push(`version ${watch.version} still dead`);
  }
  return done;
}

async function look(ports: Ports, key: Key, subject: Subject, version: Version, listed: readonly Credential[]): Promise<Sighting> {
  const value = version.token ? await ports.secrets.read(subject.keyId, version.token) : undefined;
  const probe = value
    ? await ports.provider(key.facts.provider).probe(subject, value)
    : { verdict: 'no value' as const, detail: 'no value is stored to try it with' };
  const credential = listed.find(({ credentialId }) => credentialId === version.credentialId);
  return {
    at: instant(ports.clock.now()),
    verdict: probe.verdict,
    answer: probe.detail.slice(0, 200),
    listed: credential ? (credential.enabled ? 'enabled' : 'disabled') : 'absent',
    by: 'reconciler',
  };
}

async function noteDead(ports: Ports, keyId: string, watch: Watch, sighting: Sighting | undefined): Promise<void> {
  const seconds = ports.policy.watchSeconds[watch.look + 1];
  const next = seconds === undefined ? [] : [{ ...watch, look: watch.look + 1, at: after(watch.deadAt, seconds) }];
  const writes: Write[] =
    sighting && (await hasCertificate(ports, keyId, watch.version)) ? [addSighting(keyId, watch.version, sighting)] : [];
  await commit(ports, keyId, (fresh) => {
    const mine = (one: Watch) => one.version === watch.version && one.at === watch.at;
    if (!(fresh.watch ?? []).some(mine)) return null;
    return {
      actor: 'reconciler',
      permit: 'toward dead',
      set: { watch: [...(fresh.watch ?? []).filter((one) => !mine(one)), ...next] },
      writes,
      events: [
        {
          event: 'version.still-dead',
          detail: {
            version: watch.version,
            look: watch.look + 1,
            verdict: sighting?.verdict ?? 'gone',
            listed: sighting?.listed ?? 'absent',
          },
        },
      ],
    };
  });
}
