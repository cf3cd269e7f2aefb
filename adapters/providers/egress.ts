import { lookup as systemLookup } from 'node:dns/promises';
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import { isLoopback, isPrivateAddress, isPublicAddress } from './address.ts';

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What the vendor answered. `json` is undefined when the body is not JSON. Never logged, never part of an error. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

/** Every address of a host name. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** What may be reached beside HTTPS on port 443 at public addresses. */
export interface Reach {
  /** Plain HTTP to this machine itself: only the local and test composition roots say so. */
  readonly allowLoopback: boolean;
  /** `host:port`, exactly: HTTPS there may go to an address of the organisation's own network. An installation says so; the default is none. */
  readonly privateHosts?: readonly string[];
}

export interface EgressOptions extends Reach {
  /** Exact host names, or `*.` and a vendor's own domain; anything else is refused. */
  readonly hosts: readonly string[];
  /** Certificates (PEM) that are trusted beside the public roots, at the private hosts only. */
  readonly authorities?: string;
  readonly resolve?: Resolve;
}

/** Answers larger than this are refused (256 KiB: a list page of any vendor we read about is far smaller). */
export const maxAnswerBytes = 256 * 1024;

/**
 * Sends one request and gives the complete answer, whatever its status. The host is resolved once, every address is
 * checked, and the connection goes to a checked address; redirects are answers like any other. Throws ProviderRefused
 * when the target is not allowed (nothing was sent), ProviderUnavailable when there is no complete answer.
 */
export function egress(options: EgressOptions): (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer> {
  const resolve = options.resolve ?? ((host: string) => systemLookup(host, { all: true }));
  const { authorities } = options;
  let trusted: SecureContext | undefined;
  return async (outgoing, signal) => {
    const fault = whyNotAllowed(outgoing.url, options);
    if (fault) throw new ProviderRefused(`the request was not sent: ${fault}`);
    checkHeaders(outgoing.headers);
    const address = await checkedAddress(outgoing.url, options, resolve, signal);
    if (authorities === undefined || !isListed(outgoing.url, options)) return exchange(outgoing, address, undefined, signal);
    // Once: reading all the public roots takes longer than a call.
    trusted ??= createSecureContext({ ca: [...getCACertificates('default'), authorities] });
    return exchange(outgoing, address, trusted, signal);
  };
}

/** Why a URL may not be called, or undefined. Never quotes the URL. */
export function whyNotAllowed(url: URL, options: Pick<EgressOptions, 'hosts' | keyof Reach>): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const listed = isListed(url, options);
  const ownMachine = options.allowLoopback && (isLoopback(host) || options.hosts.includes(host));
  if (url.username || url.password) return 'a URL may not carry a user or a password';
  if (isIP(host) && !(options.allowLoopback && isLoopback(host)) && !(listed && isReachable(host, host)))
    return 'a URL may not name an IP address';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && ownMachine)) return 'a URL must begin with https://';
  if (url.port !== '' && url.port !== '443' && !ownMachine && !listed)
    return 'a URL may not name a port, unless privateHosts of settings.yaml lists it as host:port';
  if (isPrivateName(host) && !ownMachine && !listed)
    return 'the host is of a private network: list it as host:port in privateHosts of settings.yaml';
  if (!options.hosts.some((allowed) => isHost(allowed, host))) return 'the host is not in the egress list';
  return undefined;
}

function isHost(allowed: string, host: string): boolean {
  return allowed === host || (allowed.startsWith('*.') && host.endsWith(allowed.slice(1)) && host.length > allowed.length - 1);
}

/** Whether the installation lists exactly this host and port. Only HTTPS counts. */
function isListed(url: URL, { privateHosts = [] }: Pick<Reach, 'privateHosts'>): boolean {
  return url.protocol === 'https:' && privateHosts.includes(`${url.hostname}:${url.port || '443'}`);
}

/** Whether a listed host may be reached at this address. This machine only by its address: a name that leads to it is a trap. */
function isReachable(host: string, address: string): boolean {
  return isPublicAddress(address) || isPrivateAddress(address) || (host === address && isLoopback(address));
}

/** Names that the public DNS does not have (RFC 6761, 6762, 8375, and ICANN's reservation of .internal). */
function isPrivateName(host: string): boolean {
  return /\.(internal|local|localhost|home\.arpa)$/.test(host);
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(headers)) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(content)) throw new ProviderRefused(`the header ${name} would contain a control character`);
  }
}

async function checkedAddress(url: URL, options: EgressOptions, resolve: Resolve, signal: AbortSignal) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const literal = isIP(host);
  const addresses = literal ? [{ address: host, family: literal }] : await orAbort(resolve(host), signal);
  const [first] = addresses;
  if (!first) throw new ProviderUnavailable('the host has no address');
  const all = (allowed: (address: string) => boolean) => addresses.every(({ address }) => allowed(address));
  if (options.allowLoopback && all(isLoopback)) return first;
  const listed = isListed(url, options);
  if (listed && !all((address) => isReachable(host, address)))
    throw new ProviderRefused('the request was not sent: the host resolves to an address that no provider may have');
  if (!listed && (url.protocol !== 'https:' || (url.port !== '' && url.port !== '443') || !all(isPublicAddress)))
    throw new ProviderRefused('the request was not sent: the host resolves to an address that is not public');
  return first;
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const stop = () => failed(new ProviderUnavailable('the host name was not resolved in time'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work
      .then(done, (error: unknown) => failed(new ProviderUnavailable(`the host name cannot be resolved (${codeOf(error)})`)))
      .finally(() => signal.removeEventListener('abort', stop));
  });
}

function exchange(
  outgoing: Outgoing,
  { address, family }: { address: string; family: number },
  secureContext: SecureContext | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((done, failed) => {
    const unavailable = (what: string) => failed(new ProviderUnavailable(what));
    const { url, method, body } = outgoing;
    const begin = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const headers = {
      ...outgoing.headers,
      'accept-encoding': 'identity',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    };
    const request: ClientRequest = begin(url, {
      method,
      headers,
      signal,
      agent: false,
      rejectUnauthorized: true,
      ...(secureContext && { secureContext }),
      // The name is not looked up again: the connection goes to the address that was checked.
      lookup: (_host, { all }, found) => (all ? found(null, [{ address, family }]) : found(null, address, family)),
    });
    request.on('error', (error) => unavailable(`the provider did not answer (${signal.aborted ? 'time-out' : codeOf(error)})`));
    request.on('response', (response) => read(response, request, signal).then(done, failed));
    request.end(body);
  });
}

async function read(response: IncomingMessage, request: ClientRequest, signal: AbortSignal): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxAnswerBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new ProviderUnavailable(`the provider's answer broke off (${signal.aborted ? 'time-out' : codeOf(error)})`);
  }
  if (size > maxAnswerBytes) {
    request.destroy();
    throw new ProviderUnavailable(`the provider's answer is larger than ${maxAnswerBytes} bytes`);
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new ProviderUnavailable('the provider compressed its answer, which was not asked for');
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : 'no connection';
}
