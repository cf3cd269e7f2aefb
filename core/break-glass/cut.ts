import { versionOfLabel } from '../attribution.ts';
import type { Credential, Provider, Subject } from '../ports.ts';
import type { BreakGlassKey } from './prepare.ts';

/** What the provider answered about one credential. */
export interface Cut {
  readonly credentialId: string;
  readonly version: number | null;
  readonly answer: 'disabled' | 'gone' | 'failed';
  readonly detail: string;
}

/** What is left of a key's principal after its credentials were cut. */
export interface CutOff {
  readonly cuts: readonly Cut[];
  /** Enabled credentials that nobody can explain: not touched. Null when the provider did not list them. */
  readonly strangers: readonly string[] | null;
}

/**
 * Ends a key with nothing but its provider: first every credential that the index names, then what the provider lists as enabled and is the
 * key's own (made since the index, or its principal belongs to Rekey alone). `versions` narrows it to those of the index. `done` hears of
 * each answer at once. Never throws: what fails is in the answer.
 */
export async function cutOff(
  provider: Provider,
  key: BreakGlassKey,
  versions: readonly number[] | 'all',
  done: (cut: Cut) => Promise<void>,
): Promise<CutOff> {
  const { keyId, account, params } = key;
  const subject: Subject = { keyId, account, params };
  const known = key.versions.filter(({ number }) => versions === 'all' || versions.includes(number));
  const cuts: Cut[] = [];
  const cut = async (credentialId: string, version: number | null) => {
    const one = { credentialId, version, ...(await disable(provider, subject, credentialId)) };
    cuts.push(one);
    await done(one);
  };
  for (const { credentialId, number } of known) await cut(credentialId, number);
  const listed = await provider.list(subject).catch(() => null);
  if (listed === null) return { cuts, strangers: null };
  const enabled = listed.filter((one) => one.enabled && !cuts.some(({ credentialId }) => credentialId === one.credentialId));
  const own = versions === 'all' ? enabled.filter((one) => key.exclusive || isOwn(keyId, one)) : [];
  for (const { credentialId, label = '' } of own) await cut(credentialId, versionOfLabel(keyId, label) ?? null);
  const spared = new Set(key.versions.map(({ credentialId }) => credentialId));
  return {
    cuts,
    strangers: enabled.filter((one) => !own.includes(one) && !spared.has(one.credentialId)).map(({ credentialId }) => credentialId),
  };
}

const isOwn = (keyId: string, { label = '' }: Credential): boolean => versionOfLabel(keyId, label) !== undefined;

async function disable(provider: Provider, subject: Subject, credentialId: string): Promise<Pick<Cut, 'answer' | 'detail'>> {
  try {
    return { answer: await provider.disable(subject, credentialId), detail: '' };
  } catch (error) {
    return { answer: 'failed', detail: (error as Error).name };
  }
}
