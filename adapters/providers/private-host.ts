import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type Problem, Refused } from '../../core/errors.ts';
import { isLoopback, isPrivateAddress, isPublicAddress } from './address.ts';

/**
 * The `privateHosts` of an installation: each exactly as a URL would be compared with it. Throws Refused E_INPUT_INVALID for anything but a list
 * of `host:port`, and for an address at which a cloud gives away credentials.
 */
export function privateHostsOf(given: unknown): readonly string[] {
  if (!Array.isArray(given)) throw refused([{ path: 'privateHosts', message: 'must be a list of host:port, like gitlab.internal:8443' }]);
  const problems = given.flatMap((entry: unknown, index): Problem[] => {
    const message = whyNoHost(entry);
    return message === undefined ? [] : [{ path: `privateHosts.${index}`, message }];
  });
  if (problems.length) throw refused(problems);
  return given as string[];
}

/** The certificates of authorities.pem as they stand. Throws Refused E_SECRET_IN_INPUT for a private key in it, E_INPUT_INVALID when it cannot be used at `now` (milliseconds since 1970). */
export function authoritiesOf(pem: string, now: number): string {
  if (/PRIVATE KEY/.test(pem))
    throw new Refused('E_SECRET_IN_INPUT', 'authorities.pem holds a private key; only certificates belong there');
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Refused('E_INPUT_INVALID', 'authorities.pem holds no certificate in PEM form');
  blocks.forEach((block, index) => {
    const fault = whyNoAuthority(block, now);
    if (fault) throw new Refused('E_INPUT_INVALID', `authorities.pem: certificate ${index + 1} ${fault}`);
  });
  return blocks.join('\n');
}

function refused(problems: readonly Problem[]): Refused {
  return new Refused('E_INPUT_INVALID', 'settings.yaml was refused', problems);
}

function whyNoHost(entry: unknown): string | undefined {
  const url = typeof entry === 'string' && !/[/\\?#@\s]/.test(entry) ? URL.parse(`https://${entry}/`) : null;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const exact = url && `${url.hostname}:${url.port || '443'}` === entry;
  if (!exact || !(isIP(host) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)))
    return 'must be one exact host:port in lower case, like gitlab.internal:8443';
  if (isIP(host) && !isPublicAddress(host) && !isPrivateAddress(host) && !isLoopback(host))
    return 'is an address that no provider may have';
  return undefined;
}

function whyNoAuthority(block: string, now: number): string | undefined {
  try {
    const { ca, validToDate } = new X509Certificate(block);
    if (!ca) return 'is not that of an authority (its basic constraints do not say CA)';
    return validToDate.getTime() < now ? `expired at ${validToDate.toISOString()}` : undefined;
  } catch {
    return 'cannot be read';
  }
}
