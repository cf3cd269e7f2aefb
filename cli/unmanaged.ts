import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Refused } from '../core/errors.ts';
import type { Verdict } from '../core/ports.ts';
import type { Search } from '../core/revoke/find.ts';
import type { UnmanagedEnded } from '../core/revoke/unmanaged.ts';
import { exits } from './ending.ts';
import { confirmByName, readSecret } from './input.ts';
import type { Session } from './session.ts';

export interface UnmanagedOptions {
  readonly leaked?: string;
  readonly provider?: string;
  readonly account?: string;
  readonly credentialId?: string;
  readonly param?: readonly string[];
  readonly reason?: string;
  readonly confirm?: string;
  readonly requestId?: string;
  readonly timeout?: number;
}

/** Without a time-out, the proof is watched for this long: a vendor's disable reaches everywhere within minutes. */
const patienceSeconds = 300;

interface Seen {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly denied: number;
  readonly everySeconds: number;
}

/**
 * `rekey revoke --unmanaged`: has a provider refuse a credential that no key has. With the leaked string (`--leaked -`) it is then used until
 * it was refused as often in a row as the provider asks. Exit 6 when it was not.
 */
export async function endUnmanaged(session: Session, options: UnmanagedOptions): Promise<number> {
  const { provider, account } = options;
  if (provider === undefined) throw new Refused('E_USAGE', 'say at which provider: --provider NAME');
  const leaked = options.leaked === undefined ? undefined : await readSecret('the leaked string', session.note);
  const credentialId = options.credentialId ?? (leaked === undefined ? undefined : await carried(session, leaked));
  if (credentialId === undefined && leaked === undefined)
    throw new Refused('E_USAGE', 'name the credential: --credential-id ID, as the vendor’s console shows it');
  const at = { provider, ...(account === undefined ? {} : { account }), params: paramsOf(options.param ?? []) };
  await confirmByName(provider, options.confirm, `This cannot be undone. Type ${provider} to end a credential there that no key has`);
  const ended = await session.door.ask<UnmanagedEnded>('revoke.unmanaged', {
    ...at,
    // Without an id, a vendor that ends credentials by their value gets the value.
    ...(credentialId === undefined ? { leaked } : { credentialId }),
    requestId: options.requestId ?? randomUUID(),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
  if (!ended.recorded) session.note('It was done, but could not be written down: keep this output.');
  const proof =
    leaked === undefined || ended.answer === 'failed' ? null : await prove(session, { ...at, leaked }, options.timeout ?? patienceSeconds);
  session.result({ ...ended, proof }, () => said(provider, ended, proof));
  if (ended.answer === 'failed') return exits.unproven;
  return proof === null || proof.dead ? exits.ok : exits.unproven;
}

async function carried(session: Session, leaked: string): Promise<string | undefined> {
  const { stranger } = await session.door.ask<Search>('revoke.find', { leaked });
  return stranger?.credentialId ?? undefined;
}

/** Parameters on the command line, as `name=value`. Throws Refused E_USAGE. */
export function paramsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const [, name, content] = /^([A-Za-z][\w-]*)=(.*)$/.exec(pair) ?? [];
      if (name === undefined || content === undefined) throw new Refused('E_USAGE', '--param takes name=value');
      return [name, content];
    }),
  );
}

/** Uses the string until it is refused often enough in a row. */
async function prove(session: Session, at: object, seconds: number): Promise<{ dead: boolean; refused: number; answer: string }> {
  const until = Date.now() + seconds * 1000;
  for (let refused = 0; ; ) {
    const { verdict, detail, denied, everySeconds } = await session.door.ask<Seen>('revoke.probe', at);
    refused = verdict === 'denied' ? refused + 1 : 0;
    session.redraw(`${verdict}, ${refused} of ${denied} in a row …`);
    if (refused >= denied) return { dead: true, refused, answer: detail };
    if (Date.now() > until) return { dead: false, refused, answer: detail };
    await pause(everySeconds * 1000);
  }
}

function said(
  provider: string,
  { answer, detail, revoked }: UnmanagedEnded,
  proof: { dead: boolean; refused: number; answer: string } | null,
): string {
  if (revoked) return `That credential belongs to ${revoked.keyId}: ${revoked.message}. Watch it: rekey key show ${revoked.keyId} --watch`;
  if (answer === 'failed')
    return `${provider} did not do it (${detail}). Repeat the command, or end it in the vendor’s own console; an account that Rekey has no right in needs your own: --break-glass.`;
  const told = answer === 'gone' ? `${provider} has no such credential any more.` : `${provider} was told to refuse it.`;
  if (!proof) return `${told} That is no proof: paste the string with --leaked - to see it refused.`;
  return proof.dead
    ? `${told} It is dead: refused ${proof.refused} times in a row (${proof.answer}).`
    : `${told} It is NOT proven dead: ${proof.answer}. Repeat the command, or shut the door behind it.`;
}
