import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Cut, type CutOff, cutOff } from '../../core/break-glass/cut.ts';
import type { BreakGlassKey } from '../../core/break-glass/prepare.ts';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import type { Provider } from '../../core/ports.ts';
import { composeBreakGlass } from '../../local/break-glass/compose.ts';
import { exits } from '../ending.ts';
import { confirmByName, versionNumbers } from '../input.ts';
import type { GlobalOptions, Session } from '../session.ts';
import { paramsOf, type UnmanagedOptions } from '../unmanaged.ts';
import { adminCredential } from './admin.ts';
import { type BreakGlassFolder, type BreakGlassIndex, breakGlassFolder, readIndex, writeRecord } from './folder.ts';

export interface BreakGlassOptions extends UnmanagedOptions {
  readonly versions?: string;
  readonly unmanaged?: boolean;
  readonly adminFrom?: string;
}

/** The installation's name on this machine: its stage, or `local`. */
export const installationName = ({ stage }: GlobalOptions): string => stage ?? 'local';

/**
 * `rekey revoke --break-glass`: ends a key with nothing but its provider and the responder's own right there. Nothing of Rekey is asked. What
 * was done is on record here, signed, and waits for `rekey break-glass import`. Exit 6 when a credential was not ended.
 */
export async function breakGlass(session: Session, options: BreakGlassOptions & GlobalOptions, key: string | undefined): Promise<number> {
  const folder = breakGlassFolder(installationName(options));
  const { subject, name, index } = target(options, key, folder);
  const versions = options.versions === undefined || options.versions === 'all' ? 'all' : versionNumbers(options.versions);
  session.note(preview(subject, name, index));
  await confirmByName(name, options.confirm, `BREAK-GLASS. This cannot be undone. Type ${name} to end it at ${subject.provider}`);
  const provider = providerOf(subject.provider, options, index, folder);
  const unrecorded: Cut[] = [];
  const done = async (cut: Cut) => {
    session.note(
      `${cut.version === null ? `…${cut.credentialId.slice(-4)}` : `version ${cut.version}`}: ${cut.answer} ${cut.detail}`.trimEnd(),
    );
    if (!written(folder, subject, cut, options.reason ?? 'not said yet')) unrecorded.push(cut);
  };
  const ended = await cutOff(provider, subject, versions, done);
  const failed = ended.cuts.filter(({ answer }) => answer === 'failed');
  session.result({ key: name, ...ended, records: folder.records, unrecorded }, () => told(ended, folder, unrecorded));
  return failed.length > 0 || ended.cuts.length === 0 ? exits.unproven : exits.ok;
}

function target(options: BreakGlassOptions, key: string | undefined, folder: BreakGlassFolder) {
  if (!options.unmanaged) {
    const index = readIndex(folder);
    const keyId = checkKeyId(key ?? '');
    const subject = index.keys.find((one) => one.keyId === keyId);
    if (subject) return { subject, name: keyId, index };
    throw new Refused(
      'E_NOT_FOUND',
      `the index of ${index.madeAt} has no key ${keyId}; end its credential by the vendor’s id: --unmanaged`,
    );
  }
  const { provider, account = 'default', credentialId, param = [] } = options;
  if (provider === undefined || credentialId === undefined)
    throw new Refused('E_USAGE', '--break-glass --unmanaged needs --provider and --credential-id');
  const versions = [{ number: 0, credentialId, role: 'none' }];
  const facts = { keyId: '', owner: '', tier: 'high', exclusive: false, consumers: [], contacts: [] } as const;
  const subject: BreakGlassKey = { ...facts, provider, account, params: paramsOf(param), versions };
  let index: BreakGlassIndex | undefined;
  try {
    index = readIndex(folder);
  } catch {
    // Where nothing was prepared, the specs that ship with Rekey are used.
  }
  return { subject, name: provider, index };
}

function preview(subject: BreakGlassKey, name: string, index: BreakGlassIndex | undefined): string {
  return [
    `BREAK-GLASS: ${name} at ${subject.provider}/${subject.account}, with your own right there. Rekey is not asked.`,
    ...(index ? [`  index of     ${index.madeAt}; versions made since are found by the provider's list`] : []),
    `  will break   ${subject.consumers.join(', ') || 'no service that is known'}`,
    `  call         ${subject.contacts.join(', ') || subject.owner || 'nobody that is known'}`,
  ].join('\n');
}

function providerOf(
  name: string,
  options: BreakGlassOptions & GlobalOptions,
  index: BreakGlassIndex | undefined,
  folder: BreakGlassFolder,
): Provider {
  return composeBreakGlass({
    specs: folder.specs,
    allowLoopback: index?.local ?? false,
    sandboxUrl: index?.sandboxUrl,
    privateHosts: index?.privateHosts ?? [],
    authorities: existsSync(folder.authorities) ? readFileSync(folder.authorities, 'utf8') : undefined,
    admin: adminCredential(name, options.adminFrom),
    region: options.region ?? index?.region,
  })(name);
}

/** A disk that is full stops nothing. */
function written(folder: BreakGlassFolder, { keyId, provider, account }: BreakGlassKey, cut: Cut, reason: string): boolean {
  try {
    const { credentialId, answer, detail } = cut;
    writeRecord(folder, {
      at: new Date().toISOString(),
      by: userInfo().username,
      reason,
      keyId,
      provider,
      account,
      credentialId,
      answer,
      detail,
    });
    return true;
  } catch {
    return false;
  }
}

function told({ cuts, strangers }: CutOff, folder: BreakGlassFolder, unrecorded: readonly Cut[]): string {
  const failed = cuts.filter(({ answer }) => answer === 'failed');
  return [
    cuts.length === 0
      ? 'Nothing was ended: no credential is known.'
      : `${cuts.length - failed.length} of ${cuts.length} credentials: the provider was told to refuse them.`,
    ...(failed.length ? ['NOT CONTAINED: repeat the command, or end them in the vendor’s own console.'] : []),
    ...(strangers === null ? ['The provider’s list could not be read: there may be more.'] : []),
    ...(strangers?.length ? [`Enabled there and not explained, not touched: ${strangers.join(', ')}`] : []),
    ...(unrecorded.length ? ['NOT WRITTEN DOWN (the disk?): keep this output.'] : [`On record, signed, in ${folder.records}.`]),
    'That is no proof. When Rekey answers again: rekey break-glass import. It fences, proves it dead and tells everybody.',
  ].join('\n');
}
