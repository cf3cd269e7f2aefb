import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './behaviour.ts';
import { failed, type Reply } from './vendor-rules.ts';

/** Most bytes of a request's body. */
const maxBodyBytes = 64 * 1024;

/** The body as JSON: undefined when it is empty, `broken` when it is not JSON or too large. */
export async function readBody(request: IncomingMessage): Promise<{ readonly json: unknown } | 'broken'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) return 'broken';
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return { json: text === '' ? undefined : JSON.parse(text) };
  } catch {
    return 'broken';
  }
}

/** What the vendor answers instead of doing the work; undefined: it drops the connection. */
export function replyBefore(fault: Fault): Reply | undefined {
  switch (fault.kind) {
    case 'error-before':
      return failed(500, 'internal');
    case 'unavailable':
      return failed(503, 'unavailable');
    case 'throttled':
      return failed(429, 'slow_down', { 'retry-after': String(fault.retryAfterSeconds ?? 1) });
    case 'permanent':
      return failed(422, 'invalid');
    case 'redirect':
      return { status: 302, headers: { location: fault.location ?? 'http://169.254.169.254/' } };
    default:
      return undefined;
  }
}

/** The status that leaves the vendor; 0 when no complete answer does. */
export function statusSent(reply: Reply | undefined, fault: Fault | undefined): number {
  if (!reply || fault?.kind === 'timeout-after-success' || fault?.kind === 'lost-response' || fault?.kind === 'truncated') return 0;
  return fault?.kind === 'error-after' ? 500 : reply.status;
}

/** Sends the reply, bent by the fault. */
export function send(response: ServerResponse, reply: Reply | undefined, fault?: Fault): void {
  if (fault?.kind === 'timeout-after-success') return;
  if (reply && fault?.kind !== 'lost-response') write(response, fault?.kind === 'error-after' ? failed(500, 'internal') : reply, fault);
  else response.destroy();
}

function write(response: ServerResponse, reply: Reply, fault: Fault | undefined): void {
  const whole = reply.body === undefined ? '' : JSON.stringify(reply.body);
  const bent = bend(whole, fault);
  const headers = { ...(whole || bent ? { 'content-type': 'application/json' } : {}), ...reply.headers };
  const status = bent && reply.status === 204 ? 200 : reply.status;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(bent) + (fault?.kind === 'truncated' ? 10 : 0) });
  if (fault?.kind === 'truncated') response.write(bent, () => response.destroy());
  else response.end(bent);
}

function bend(body: string, fault: Fault | undefined): string {
  const some = body || '{"done":true}';
  if (fault?.kind === 'malformed' || fault?.kind === 'truncated') return some.slice(0, Math.ceil(some.length / 2));
  return fault?.kind === 'oversized' ? `${some.slice(0, -1)},"padding":"${'x'.repeat(300 * 1024)}"}` : body;
}
