import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refused, RekeyError } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import { bodyBytes, checkMedia, parseBody, textOfBody } from '../requests/body.ts';
import { httpStatus } from '../requests/http-status.ts';
import type { Message } from '../requests/senders/sender.ts';
import type { ConsumerTokens } from './consumer-tokens.ts';
import type { Feed } from './feed.ts';

export interface ServerOptions {
  /** Answers POST /requests/<name> of whoever holds the operator's token. */
  readonly answer: (name: string, input: unknown) => Promise<unknown>;
  /** Takes POST /receipts of the consumer that the token names. */
  readonly receive: (receipt: unknown, consumer: string) => Promise<unknown>;
  /** Takes POST /reports/<sender>: the sender's own signature over the raw body says who it is. */
  readonly report: (sender: string, message: Message) => Promise<unknown>;
  /** Takes POST /aws-events of whoever holds the operator's token: an event as EventBridge delivers it. */
  readonly awsEvent: (event: unknown) => Promise<unknown>;
  readonly feed: Pick<Feed, 'next'>;
  readonly consumers: Pick<ConsumerTokens, 'consumerOf'>;
  /** The operator's bearer token. */
  readonly token: string;
  readonly log: Log;
  /** 0 or nothing: any free port. */
  readonly port?: number;
}

export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Afterwards the port is free. Requests under way get two seconds to end. */
  stop(): Promise<void>;
}

/** Longest wait of GET /notices, in seconds: below the usual idle time-outs of clients and proxies. */
const longestWaitSeconds = 25;

const stopSeconds = 2;

/** Serves the local product on the loopback address only; every route but /health asks for a bearer token. */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const stopping = new AbortController();
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
    const finish = (write: () => void) => {
      // A connection kept alive would keep a stopping server waiting.
      if (stopping.signal.aborted) response.setHeader('connection', 'close');
      write();
    };
    route(options, request, AbortSignal.any([stopping.signal, closed(response)])).then(
      (result) => finish(() => send(response, 200, result)),
      (error: unknown) => finish(() => sendError(response, error, options.log)),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close');
      stopping.abort();
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), stopSeconds * 1000);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function route(options: ServerOptions, request: IncomingMessage, ended: AbortSignal): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const on = `${request.method} ${url.pathname}`;
  if (on === 'GET /health') return { ok: true, pid: process.pid };
  if (on === 'GET /notices') {
    const consumer = consumerOf(options, request);
    const after = wholeNumber(url, 'after', 0, Number.MAX_SAFE_INTEGER);
    const wait = wholeNumber(url, 'wait', longestWaitSeconds, longestWaitSeconds);
    const notices = await options.feed.next(consumer, after, wait, ended);
    return { notices: notices.map(({ seq, event }) => ({ seq, event })) };
  }
  if (on === 'POST /receipts') {
    const consumer = consumerOf(options, request);
    return { result: await options.receive(await json(request), consumer) };
  }
  const sender = /^POST \/reports\/([a-z-]{1,40})$/.exec(on)?.[1];
  if (sender !== undefined) return { result: await options.report(sender, { headers: headersOf(request), raw: await bytes(request) }) };
  if (on === 'POST /aws-events' && same(bearer(request), options.token)) return { result: await options.awsEvent(await json(request)) };
  const name = /^POST \/requests\/([a-z.-]{1,40})$/.exec(on)?.[1];
  if (name === undefined) throw new Refused('E_NOT_FOUND', 'there is no such address; see the documentation of the local server');
  if (!same(bearer(request), options.token)) throw new Refused('E_CREDENTIALS', 'this needs the token in .rekey/local.json');
  return { result: await options.answer(name, await json(request)) };
}

function consumerOf(options: ServerOptions, request: IncomingMessage): string {
  const consumer = options.consumers.consumerOf(bearer(request));
  if (consumer === undefined) throw new Refused('E_CREDENTIALS', 'this needs the token of a registered consumer');
  return consumer;
}

function bearer(request: IncomingMessage): string {
  return /^Bearer ([\x21-\x7e]{1,200})$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function same(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function wholeNumber(url: URL, name: string, otherwise: number, most: number): number {
  const text = url.searchParams.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,15}$/.test(text))
    throw new Refused('E_INPUT_INVALID', `${name} must be a whole number`, [{ path: name, message: 'must be a whole number' }]);
  return Math.min(Number(text), most);
}

async function json(request: IncomingMessage): Promise<unknown> {
  // A client on this machine may leave the type out; what it says by the token counts.
  checkMedia('application/json', request.headers['content-encoding']);
  return parseBody(textOfBody(await bytes(request)));
}

function headersOf({ headers }: IncomingMessage): Message['headers'] {
  return Object.fromEntries(Object.entries(headers).map(([name, content]) => [name, Array.isArray(content) ? content[0] : content]));
}

async function bytes(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => new Refused('E_TOO_LARGE', `a body may have ${bodyBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop must not end the connection: the answer goes over it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Aborted when the response was sent or the caller is gone, so that nobody waits for it. */
function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

function sendError(response: ServerResponse, error: unknown, log: Log): void {
  if (error instanceof Refused) {
    const { code, name, message, problems } = error;
    // What is left of a body that was too large is not read.
    if (code === 'E_TOO_LARGE') response.setHeader('connection', 'close');
    send(response, httpStatus[code], { error: { code, name, message, problems } });
    return;
  }
  if (error instanceof RekeyError && error.name.endsWith('Unavailable')) {
    send(response, 503, { error: { code: 'E_UNREACHABLE', name: error.name, message: error.message, problems: [] } });
    return;
  }
  log.error('a request failed', { error: (error as Error).name });
  send(response, 500, { error: { code: 'E_INTERNAL', name: 'Error', message: 'the request failed; see rekey.log', problems: [] } });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
