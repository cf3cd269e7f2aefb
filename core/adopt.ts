import { commit } from './commit.ts';
import { dueOf } from './due.ts';
import { ConditionFailed, Refused } from './errors.ts';
import type { Write } from './inventory.ts';
import { credentialItem, destinationKey, fingerprintKey, getKey, putItem, versionItem } from './items.ts';
import { type Key, type KeyFacts, moveKey } from './key.ts';
import type { Credential, Ports, Subject } from './ports.ts';
import { instant } from './time.ts';
import type { Value } from './value.ts';
import type { Version } from './version.ts';

/**
 * Makes an existing credential version 1 without touching it (K2). The value is already in the secret store, as version `token`. The
 * vendor's id is given, or carried by the value, or the only credential listed; a probe proves that the value works.
 * Throws Refused E_EXISTS, E_INPUT_EMPTY, E_NOT_FOUND, E_NOT_ACCEPTED; StoreConflict.
 */
export async function adoptVersion(
  ports: Ports,
  request: { readonly keyId: string; readonly token: string; readonly credentialId?: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly version: number; readonly credentialId: string }> {
  const { keyId, token } = request;
  const key = await getKey(ports, keyId);
  if (key.state !== 'registered' || key.current !== null)
    throw new Refused('E_EXISTS', `${keyId} already has version ${key.current ?? key.lastVersion}`);
  if (key.facts.destinations.length === 0)
    throw new Refused('E_INPUT_INVALID', `${keyId} has no destination`, [{ path: 'destinations', message: 'name at least one' }]);
  const value = await ports.secrets.read(keyId, token);
  if (!value) throw new Refused('E_INPUT_EMPTY', `the secret store holds no value for ${keyId} under that version`);
  const provider = ports.provider(key.facts.provider);
  const subject: Subject = { keyId, account: key.facts.account, params: key.facts.params };
  const carried = provider.credentialIdOf?.(value);
  if (request.credentialId && carried && carried !== request.credentialId)
    throw new Refused('E_INPUT_INVALID', 'the value is that of another credential', [
      { path: 'credentialId', message: 'leave it out: the value says whose it is' },
    ]);
  const { credentialId, createdAt } = match(await provider.list(subject), carried ?? request.credentialId, key.facts);
  const probe = await provider.probe(subject, value);
  if (probe.verdict !== 'alive')
    throw new Refused('E_NOT_ACCEPTED', `the provider's answer to the value is ${probe.verdict} (${probe.detail}); nothing was adopted`);
  const fingerprints = await fingerprintsOf(ports, key, value);
  const now = instant(ports.clock.now());
  const number = key.lastVersion + 1;
  const madeAt = madeAtOf(createdAt, now);
  const version = { ...adopted(key, credentialId, token, fingerprints, now), createdAt: madeAt };
  const delivered = await holding(ports, key, value);
  try {
    await commit(ports, keyId, (fresh) => ({
      actor,
      fence: fresh.fence,
      when: [{ path: 'lastVersion', is: '=', value: key.lastVersion }],
      set: {
        state: moveKey(fresh.state, 'adopt'),
        fence: fresh.fence + 1,
        current: number,
        lastVersion: number,
        currentMadeAt: madeAt,
        adopted: { version: number, at: now },
        nextDueAt: dueOf({ ...fresh, current: number, currentMadeAt: madeAt, adopted: { version: number, at: now } }, ports.policy),
      },
      writes: [
        putItem(versionItem(keyId, version)),
        { do: 'put', item: credentialItem(key.facts.provider, credentialId, keyId, number), when: [{ item: 'absent' }] },
        ...delivered.map((id) => putItem({ ...destinationKey(keyId, id, number), operationId: 'adopt', at: now })),
        ...fingerprints.map(
          (mac): Write => ({ do: 'put', item: { ...fingerprintKey(mac), keyId, version: number }, when: [{ item: 'absent' }] }),
        ),
      ],
      events: [{ event: 'version.adopted', detail: { version: number, credential: `…${credentialId.slice(-4)}` } }],
    }));
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new Refused(
      'E_EXISTS',
      `this value or credential is already registered, or ${keyId} was given a version at the same moment; neither may serve two keys`,
    );
  }
  // Last, so that a refused adoption leaves no label behind.
  await ports.secrets.promote(keyId, token, (await ports.secrets.labels(keyId))['AWSCURRENT'] ?? null);
  return { keyId, version: number, credentialId };
}

/** The destinations that hold the value already; the others get it from the reconciler, once the key is live. */
async function holding(ports: Ports, key: Key, value: Value): Promise<string[]> {
  const held = await Promise.all(
    key.facts.destinations.map(async (spec) => ((await ports.destination(spec.kind).read(spec))?.equals(value) ? [spec.id] : [])),
  );
  return held.flat();
}

async function fingerprintsOf(ports: Ports, key: Key, value: Value): Promise<string[]> {
  const forms = [value, ...(ports.provider(key.facts.provider).leakForms?.(value) ?? [])];
  return [...new Set(await Promise.all(forms.map((form) => ports.fingerprint(form))))];
}

/** How old a version is, as the vendor tells; of one that tells nothing, or a time to come, only that it is known since now. */
function madeAtOf(createdAt: string | undefined, now: string): string {
  const told = Date.parse(createdAt ?? '');
  return Number.isNaN(told) || instant(told) > now ? now : instant(told);
}

function match(listed: readonly Credential[], wanted: string | undefined, { id: keyId, exclusive }: KeyFacts): Credential {
  const enabled = listed.filter((credential) => credential.enabled);
  const found = wanted ? enabled.filter((credential) => credential.credentialId === wanted) : enabled;
  if (exclusive && enabled.length > 1) {
    const message = `the principal has ${enabled.length} enabled credentials, and all of an exclusive principal's are Rekey's to end; disable the others first, or register it with exclusive: false`;
    throw new Refused('E_INPUT_INVALID', `${keyId} cannot be adopted yet`, [{ path: 'exclusive', message }]);
  }
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new Refused('E_NOT_FOUND', `${found.length} enabled credentials at the provider could be ${keyId}; name one with --credential-id`);
}

function adopted(key: Key, credentialId: string, token: string, fingerprints: readonly string[], now: string): Version {
  return {
    number: key.lastVersion + 1,
    state: 'live',
    role: 'current',
    compromised: false,
    credentialId,
    token,
    fingerprints,
    scopes: key.facts.scopes,
    environment: key.facts.environment,
    createdAt: now,
    liveAt: now,
    disabledAt: null,
    destroyedAt: null,
    probes: null,
  };
}
