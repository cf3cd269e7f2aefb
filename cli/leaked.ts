import { Refused } from '../core/errors.ts';
import type { FoundLeak, Search, Stranger } from '../core/revoke/find.ts';
import { readSecret } from './input.ts';
import type { Session } from './session.ts';

/**
 * The key and version that a leaked string belongs to, with all that one has to know before ending it. The string is asked about and kept
 * nowhere. Throws Refused E_NOT_FOUND, which says what can be done with a string that nobody knows, and what `readSecret` throws.
 */
export async function identify(session: Session): Promise<FoundLeak> {
  const leaked = await readSecret('the leaked string', session.note);
  const { match, stranger, unasked } = await session.door.ask<Search>('revoke.find', { leaked });
  for (const what of unasked) session.note(`could not be asked: ${what}`);
  if (!match) throw unknown(stranger, unasked);
  return match;
}

/** What a responder sees of a match: whose it is, who uses it, what else it reaches. */
export function screen(match: FoundLeak): string {
  const { keyId, version, state, role, by, tier, environment, owner, provider, consumers, siblings, breaks, contacts, lastDrill } = match;
  const list = (names: readonly string[], none: string) => (names.length ? names.join(', ') : none);
  return [
    `That is version ${version} of ${keyId} (${state}, ${role}), found by its ${by}.`,
    `  ${tier}, ${environment}, owned by ${owner}, at ${provider}`,
    `  used by      ${list(
      consumers.map(({ name, owner: of, contact }) => `${name} (${of}, ${contact})`),
      'nobody that is registered',
    )}`,
    `  will break   ${list(breaks, 'no service, as far as is known')}`,
    `  shared with  ${list(siblings, 'no other key')}`,
    `  call         ${list(contacts, owner)}`,
    `  last drill   ${lastDrill}`,
  ].join('\n');
}

/** When it was last used, as the provider tells; its silence stops nobody. */
export async function lastUseText(session: Session, { keyId, version }: FoundLeak): Promise<string> {
  try {
    const { at, accuracySeconds } = await session.door.ask<{ at: string; accuracySeconds: number }>('revoke.used', { keyId, version });
    return `  last used    ${at}${accuracySeconds > 1 ? `, give or take ${accuracySeconds} s` : ''}`;
  } catch {
    return '  last used    unknown: the provider did not say';
  }
}

function unknown(stranger: Stranger | null, unasked: readonly string[]): Refused {
  const { surely = [], perhaps = [] } = stranger?.looksLike ?? {};
  const likely =
    surely.join(' or ') || (perhaps.length ? `${perhaps.join(' or ')}, perhaps: others’ values and ids have that shape too` : '');
  const [vendor] = [...surely, ...perhaps];
  const id = stranger?.credentialId ?? 'ID';
  const byValue = vendor !== undefined && stranger?.byValue.includes(vendor);
  const advice = [
    ...(likely ? [{ path: 'it looks like', message: likely }] : []),
    {
      path: 'to end it there',
      message: `rekey revoke --unmanaged --provider ${vendor ?? 'PROVIDER'} ${byValue ? '--leaked -' : `--credential-id ${id}`}`,
    },
    { path: 'if you know whose it is', message: 'rekey revoke KEY' },
  ];
  const doubt = unasked.length ? ', but not everything could be asked' : '';
  return new Refused('E_NOT_FOUND', `this string belongs to no version that Rekey knows${doubt}`, advice);
}
