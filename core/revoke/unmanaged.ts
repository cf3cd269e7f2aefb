import type { AuditEntry } from '../audit.ts';
import { Refused } from '../errors.ts';
import { readJournal, writeJournal } from '../journal.ts';
import type { Ports, Probe } from '../ports.ts';
import type { Value } from '../value.ts';
import { type Revoked, revoke } from './begin.ts';
import { findCredential } from './find.ts';

/** A credential at a provider that no key has. */
export interface Unmanaged {
  readonly provider: string;
  readonly account: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Empty where only the value is known. */
  readonly credentialId: string;
}

export interface UnmanagedEnded {
  /** `failed`: the provider did not do it; ask again. */
  readonly answer: 'disabled' | 'gone' | 'failed';
  readonly detail?: string;
  /** The credential belongs to a key after all: that key's version was revoked instead. */
  readonly revoked?: Revoked;
  /** False: it was done, and could not be written down. */
  readonly recorded: boolean;
}

/** Where what was done to credentials without a key is on record, by provider. */
export const unmanagedJournal = (provider: string): string => `UNMANAGED#${provider}`;

const subjectOf = ({ account, params }: Unmanaged) => ({ keyId: 'unmanaged', account, params });

/**
 * Has a provider refuse a credential that no key has, and writes down who asked and what became of it. One that a key does have is revoked
 * as that key's version. The provider comes first: a journal that cannot be written stops nothing. Throws Refused E_NOT_FOUND for a
 * provider that is not installed, E_INPUT_INVALID for one that needs the credential's id. `leaked` ends it where the vendor takes the value itself.
 */
export async function disableUnmanaged(
  ports: Ports,
  request: Unmanaged & { readonly reason: string; readonly requestId: string },
  actor: string,
  leaked?: Value,
): Promise<UnmanagedEnded> {
  const { provider: name, account, credentialId, reason, requestId } = request;
  const provider = ports.provider(name);
  const byValue = credentialId === '' && leaked ? provider.endByValue?.bind(provider, leaked) : undefined;
  if (credentialId === '' && !byValue)
    throw new Refused('E_INPUT_INVALID', `${name} ends credentials by their id only`, [{ path: 'credentialId', message: 'is needed' }]);
  const match = byValue ? undefined : await findCredential(ports, name, credentialId).catch(() => undefined);
  if (match) {
    const { keyId, version } = match;
    const revoked = await revoke(ports, { keyId, scope: [version], reason, source: 'unknown', requestId }, actor);
    return {
      answer: revoked.versions.some(({ firstDisable }) => firstDisable === 'failed') ? 'failed' : 'disabled',
      revoked,
      recorded: true,
    };
  }
  let ended: Omit<UnmanagedEnded, 'recorded'>;
  try {
    ended = { answer: byValue ? await byValue().then(() => 'disabled') : await provider.disable(subjectOf(request), credentialId) };
  } catch (error) {
    ended = { answer: 'failed', detail: (error as Error).name };
  }
  const detail = { account, credential: credentialId || 'by its value', request: requestId, reason, answer: ended.detail ?? ended.answer };
  const recorded = await writeJournal(ports, unmanagedJournal(name), [{ actor, event: 'unmanaged.disabled', detail }]).then(
    () => true,
    () => false,
  );
  if (!recorded) ports.log.error('an unmanaged credential was disabled and not recorded', { provider: name, answer: ended.answer });
  return { ...ended, recorded };
}

/** Uses a string once at a provider, to see whether it is refused. It is kept nowhere. Throws Refused E_NOT_FOUND. */
export function probeUnmanaged(ports: Ports, { provider, ...of }: Omit<Unmanaged, 'credentialId'>, leaked: Value): Promise<Probe> {
  return ports.provider(provider).probe({ keyId: 'unmanaged', ...of }, leaked);
}

/** What was done at a provider to credentials without a key, oldest first. */
export function unmanagedHistory(ports: Ports, provider: string): Promise<AuditEntry[]> {
  return readJournal(ports, unmanagedJournal(provider));
}
