import { commit } from '../commit.ts';
import type { Use } from '../flags.ts';
import { findVersion } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { after, instant } from '../time.ts';

/** The vendor is asked once a day, in seconds: no vendor needs more to tell a dormant key, and each question counts against its rate. */
const askEverySeconds = 86_400;

/**
 * Puts on record when the vendor saw the version in use last, where it tells. A use while Rekey itself was at work on the key may have been its
 * own probe, so only a later one counts; whoever needs the key uses it again. That nothing is known stays unknown. Returns whether it was asked.
 */
export async function noteUse(ports: Ports, key: Key): Promise<boolean> {
  const { id: keyId, provider: name, account, params } = key.facts;
  const provider = ports.provider(name);
  const now = instant(ports.clock.now());
  if (!provider.lastUsed || key.state !== 'active' || key.current === null) return false;
  if (key.use && after(key.use.askedAt, askEverySeconds) > now) return false;
  const credentialId = (await findVersion(ports, keyId, key.current))?.credentialId;
  const told = credentialId && (await provider.lastUsed({ keyId, account, params }, credentialId));
  if (!told) return false;
  const own = after(key.lastEndedAt ?? key.adopted?.at ?? key.registeredAt, told.accuracySeconds);
  const seen = told.at !== 'never' && told.at > own ? told.at : null;
  await commit(ports, keyId, (fresh) => {
    if (fresh.current !== key.current) return null;
    const before = fresh.use?.at ?? null;
    const at = seen !== null && (before === null || seen > before) ? seen : before;
    return {
      actor: 'reconciler',
      set: { use: { at, accuracySeconds: told.accuracySeconds, askedAt: now } satisfies Use },
      events:
        at === before
          ? []
          : [{ event: 'version.used', detail: { version: key.current ?? 0, at: at ?? '', accuracySeconds: told.accuracySeconds } }],
    };
  });
  return true;
}
