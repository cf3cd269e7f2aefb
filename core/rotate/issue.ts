import { type Attempt, acquire, record } from '../attempt.ts';
import { attributionOf, orphansOf } from '../attribution.ts';
import { type EffectRecord, effect, findEffect } from '../effect.ts';
import { NoFreeSlot, ProbeAgain, UnattributedCredential, Unfinished, VerificationFailed } from '../errors.ts';
import type { Write } from '../inventory.ts';
import { findVersion, listVersions, putItem, versionItem } from '../items.ts';
import { recordPath, tokenOf } from '../operation.ts';
import type { Credential, ExecutionPayload, Ports } from '../ports.ts';
import { probeOnce } from '../probing.ts';
import { instant, milliseconds } from '../time.ts';
import type { Value } from '../value.ts';
import { moveVersion, type Version } from '../version.ts';
import { findLost, keepsBoth, mint, recordStored, tail } from './mint.ts';

/**
 * Issue (protocol.md §6): mints the operation's new version, stores its value and proves that the provider accepts it.
 *
 *   list → intent with the ids that were there → create → id recorded → value stored → preflight → issued
 *
 * A create whose answer was lost leaves a credential whose value nobody has: the next attempt lists it, deletes it and mints again.
 * A value that was stored is recovered, never minted twice.
 */
export async function issue(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'issue');
  if (attempt === 'done') return {};
  const version = (await findVersion(ports, attempt.keyId, attempt.operation.newVersion)) ?? (await draft(attempt));
  if (version.state !== 'minting') {
    // A clean version that a displaced rotation had already issued serves the reissue.
    await advance(attempt, []);
    return {};
  }
  const minted = await recoverOrMint(attempt, version);
  await preflight(attempt, minted.version, minted.value);
  return {};
}

async function draft(attempt: Attempt): Promise<Version> {
  const { key, operation, ports } = attempt;
  const old = operation.oldVersion ? await findVersion(ports, attempt.keyId, operation.oldVersion) : undefined;
  return {
    number: operation.newVersion,
    state: 'minting',
    role: 'pending',
    compromised: false,
    credentialId: null,
    token: null,
    fingerprints: [],
    // Copied from the old version, so that a rotation never widens what a key may do (POL-F8).
    scopes: old?.scopes ?? key.facts.scopes,
    environment: key.facts.environment,
    createdAt: instant(ports.clock.now()),
    liveAt: null,
    disabledAt: null,
    destroyedAt: null,
    probes: null,
  };
}

async function recoverOrMint(attempt: Attempt, version: Version): Promise<{ version: Version; value: Value }> {
  const { ports, operation } = attempt;
  const created = await findEffect(attempt, { name: 'provider.create', target: String(version.number), mint: operation.mint });
  const token = tokenOf(operation, operation.mint);
  if (created?.state === 'done') {
    const stored = await ports.secrets.read(attempt.keyId, token);
    if (!stored) return abandon(attempt, version, 'the value of the new credential was lost before it was stored');
    return { version: version.token ? version : await recordStored(attempt, version, stored, token), value: stored };
  }
  const provider = ports.provider(attempt.key.facts.provider);
  const listed = await provider.list(attempt.subject);
  const lost = created && (await findLost(attempt, provider, listed, created, token));
  if (!lost && keepsBoth(provider)) {
    await removeOrphans(attempt, listed, created);
    await freeSlot(attempt, listed);
  }
  return mint(attempt, version, listed, token, lost);
}

/** Deletes what our own earlier creates may have left: attributed, unrecorded, and in this very listing (effect I3). */
async function removeOrphans(attempt: Attempt, listed: readonly Credential[], created: EffectRecord | undefined): Promise<void> {
  const { ports, subject } = attempt;
  const versions = await listVersions(ports, attempt.keyId);
  const provider = ports.provider(attempt.key.facts.provider);
  const orphans = orphansOf(provider, attempt.key, versions, listed);
  const [orphan, ...others] = orphans;
  if (!orphan) return;
  await effect(
    attempt,
    { name: 'provider.delete', target: `credential:${orphan.credentialId}` },
    () => provider.delete(subject, orphan.credentialId),
    () => ({ ...nextMint(attempt, created), events: [{ event: 'orphan.deleted', detail: { credential: tail(orphan.credentialId) } }] }),
  );
  throw new Unfinished(`an orphan was deleted, ${others.length} to go`);
}

/** A mint that was begun is never begun again under the same number. */
function nextMint(attempt: Attempt, created: EffectRecord | undefined): { set?: Record<string, unknown> } {
  return created ? { set: { [`${recordPath(attempt.operation)}.mint`]: attempt.operation.mint + 1 } } : {};
}

/** Deletes one dead, recorded version when the provider has no slot left; never one that may be in use (effect I4). */
async function freeSlot(attempt: Attempt, listed: readonly Credential[]): Promise<void> {
  const { ports, subject } = attempt;
  const provider = ports.provider(attempt.key.facts.provider);
  const occupied = listed.filter((credential) => credential.enabled || provider.traits.countsDisabled);
  if (occupied.length < provider.traits.maxLive) return;
  const versions = await listVersions(ports, attempt.keyId);
  const ids = new Set(occupied.map((credential) => credential.credentialId));
  const dead = versions.find((version) => version.state === 'disabled' && version.credentialId && ids.has(version.credentialId));
  if (!dead?.credentialId) {
    const strangers = occupied.filter((credential) => attributionOf(provider, attempt.key, versions, credential) === 'stranger');
    if (strangers.length) throw new UnattributedCredential(`${strangers.length} credential(s) that we did not make take the last slot`);
    throw new NoFreeSlot(`all ${provider.traits.maxLive} slots are taken and none of them is dead`);
  }
  const credentialId = dead.credentialId;
  await effect(
    attempt,
    { name: 'provider.delete', target: `version:${dead.number}` },
    () => provider.delete(subject, credentialId),
    () => ({
      writes: [
        putItem(
          versionItem(attempt.keyId, { ...dead, state: moveVersion(dead.state, 'destroyed'), destroyedAt: instant(ports.clock.now()) }),
        ),
      ],
      events: [{ event: 'version.destroyed', detail: { version: dead.number, reason: 'slot needed' } }],
    }),
  );
  throw new Unfinished('a slot was freed');
}

/** The new version must be accepted as often in a row as the provider's spec asks; one that never is gives way to another mint. */
async function preflight(attempt: Attempt, version: Version, value: Value): Promise<void> {
  const { ports } = attempt;
  const { traits } = ports.provider(attempt.key.facts.provider);
  const probed = await probeOnce(attempt, version, value);
  if (probed.verdict === 'alive' && probed.count >= traits.probe.alive) {
    await advance(attempt, [
      putItem(versionItem(attempt.keyId, { ...probed.version, state: moveVersion(version.state, 'issued'), probes: null })),
    ]);
    return;
  }
  // The vendor's budget for activation, plus the pace of the probes that must follow in a row.
  const patienceSeconds = traits.activateSeconds + (traits.probe.alive + 2) * traits.probe.everySeconds + 2 * ports.settings.callSeconds;
  if (probed.verdict !== 'alive' && ports.clock.now() - milliseconds(version.createdAt) > patienceSeconds * 1000) {
    await abandon(attempt, probed.version, `not accepted within ${patienceSeconds} s`);
  }
  throw new ProbeAgain(`version ${version.number} is ${probed.verdict}, ${probed.count} in a row`);
}

/** Gives up a mint: its credential is deleted and the next attempt mints anew, until the settings' limit. */
async function abandon(attempt: Attempt, version: Version, reason: string): Promise<never> {
  const { ports, operation, subject } = attempt;
  const credentialId = version.credentialId;
  if (credentialId) {
    const provider = ports.provider(attempt.key.facts.provider);
    await effect(
      attempt,
      { name: 'provider.delete', target: `credential:${credentialId}` },
      () => provider.delete(subject, credentialId),
      () => ({
        set: { [`${recordPath(operation)}.mint`]: operation.mint + 1 },
        writes: [putItem(versionItem(attempt.keyId, { ...version, credentialId: null, token: null, probes: null }))],
        events: [{ event: 'mint.abandoned', detail: { version: version.number, mint: operation.mint, reason } }],
      }),
    );
  }
  if (operation.mint >= ports.settings.maxMints)
    throw new VerificationFailed(`${operation.mint} mints of version ${version.number} came to nothing: ${reason}`);
  throw new Unfinished(`mint ${operation.mint} was abandoned: ${reason}`);
}

async function advance(attempt: Attempt, writes: readonly Write[]): Promise<void> {
  await record(attempt, () => ({
    set: {
      [`${recordPath(attempt.operation)}.step`]: 'distribute',
      [`${recordPath(attempt.operation)}.activateSeconds`]: attempt.ports.provider(attempt.key.facts.provider).traits.activateSeconds,
    },
    writes,
    events: [{ event: 'version.issued', detail: { operation: attempt.operation.id, version: attempt.operation.newVersion } }],
  }));
}
