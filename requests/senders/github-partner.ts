import { createHash } from 'node:crypto';
import { Refused } from '../../core/errors.ts';
import type { Value } from '../../core/value.ts';
import { jsonOf, leakedText, reportOf, type Sender, textAt, whereOf } from './sender.ts';
import { isEcdsa } from './signature.ts';

/**
 * GitHub's partner programme: tokens of our own kind that were found in anybody's repositories, as an array
 * (docs.github.com/code-security/secret-scanning-partner-program). Signed by ECDSA with a key of GitHub's; its payload has no time, so a replay is
 * harmless only because what it asks for is: the version that a string names is dead already. The pinned keys are kept as the sender's secret,
 * a JSON object of PEM by key identifier.
 */
export const githubPartner: Sender = {
  name: 'github-partner',

  async authenticate({ headers, raw }, secretOf) {
    const keys = await secretOf('github-partner');
    const identifier = headers['github-public-key-identifier'] ?? '';
    const signature = headers['github-public-key-signature'] ?? '';
    const pem = keys && pinned(keys, identifier);
    return pem && isEcdsa(signature, pem, raw) ? 'github-partner' : undefined;
  },

  read(ports, { raw }, sender) {
    const body = jsonOf(raw);
    if (!Array.isArray(body)) throw new Refused('E_INPUT_INVALID', 'the body is not a list of tokens');
    return body.flatMap((entry: unknown) => {
      const token = textAt(entry, 'token');
      if (token === undefined) return [];
      const source = textAt(entry, 'source');
      return [
        reportOf({
          source: 'leak',
          sender,
          // Of the token and its place: the same find again is the same report. A hash of a string that nobody keeps.
          eventId: createHash('sha256')
            .update(`${token}|${textAt(entry, 'url') ?? ''}`)
            .digest('hex'),
          subject: leakedText(ports, token),
          where: whereOf(source ?? 'repository'),
          says: `${textAt(entry, 'type') ?? 'a token'} found in public (${source ?? 'unknown'})`,
          evidence: textAt(entry, 'url'),
        }),
      ];
    });
  },
};

function pinned(keys: Value, identifier: string): string | undefined {
  const known = JSON.parse(keysText(keys)) as Record<string, unknown>;
  const pem = Object.hasOwn(known, identifier) ? known[identifier] : undefined;
  return typeof pem === 'string' ? pem : undefined;
}

/** Public keys are no secret, although they are kept where secrets are. */
const keysText = (keys: Value): string => keys.reveal();
