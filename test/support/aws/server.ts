import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as a fake AWS service sees it: the operation's name and its input. */
export interface Call {
  readonly action: string;
  /** JSON input, or the fields of a Query request. */
  readonly input: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: string;
}

/** An answer that AWS documents as an error of the operation. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message = code, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/**
 * What happens to the next request of an action: it fails before it takes effect, takes effect and its answer is lost,
 * is never answered, or something else happens at the service just before it.
 */
type Fault =
  | { readonly kind: 'error'; readonly code: string; readonly status: number }
  | { readonly kind: 'lost-answer' }
  | { readonly kind: 'no-answer' }
  | { readonly kind: 'meanwhile'; readonly happens: () => void };

export interface FakeService {
  readonly endpoint: string;
  /** Every request in the order of arrival. */
  readonly calls: Call[];
  /** The next `times` requests of `action` (`*`: of any) meet this fault. */
  fail(action: string, fault: Fault, times?: number): void;
  close(): Promise<void>;
}

type Protocol = 'json' | 'query';

/** Serves an AWS service on a free port of 127.0.0.1, in the wire format that the real SDK clients speak. */
export async function serve(protocol: Protocol, answer: (call: Call) => Record<string, unknown> | string): Promise<FakeService> {
  const calls: Call[] = [];
  const faults: { action: string; fault: Fault; times: number }[] = [];

  const take = (action: string): Fault | undefined => {
    const found = faults.find((planned) => [action, '*'].includes(planned.action) && planned.times > 0);
    if (found) found.times--;
    return found?.fault;
  };

  const server = createServer(async (request, response) => {
    let rawBody = '';
    for await (const chunk of request) rawBody += chunk;
    const call = read(protocol, request.headers, rawBody);
    calls.push(call);
    const fault = take(call.action);
    if (fault?.kind === 'no-answer') return;
    if (fault?.kind === 'meanwhile') fault.happens();
    try {
      if (fault?.kind === 'error') throw new AwsError(fault.code, 'planned by the test', fault.status);
      const output = answer(call);
      if (fault?.kind === 'lost-answer') return response.destroy();
      write(protocol, response, 200, typeof output === 'string' ? output : JSON.stringify(output));
    } catch (error) {
      const known = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
      write(protocol, response, known.status, protocol === 'json' ? jsonError(known) : xmlError(known));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fail: (action, fault, times = 1) => void faults.push({ action, fault, times }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Settings of a client that talks to a fake: nothing of this machine's AWS configuration is used. */
export function clientSettings(endpoint: string) {
  return {
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIATESTCLIENT234567', secretAccessKey: 'not-a-real-secret' },
    maxAttempts: 1,
  };
}

function read(protocol: Protocol, headers: IncomingHttpHeaders, rawBody: string): Call {
  if (protocol === 'json') {
    const action = String(headers['x-amz-target']).split('.').at(-1) ?? '';
    return { action, input: JSON.parse(rawBody), headers, rawBody };
  }
  const { Action, ...input } = Object.fromEntries(new URLSearchParams(rawBody));
  return { action: Action ?? '', input, headers, rawBody };
}

function write(protocol: Protocol, response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': protocol === 'json' ? 'application/x-amz-json-1.1' : 'text/xml',
    'x-amzn-requestid': '00000000-0000-0000-0000-000000000000',
  });
  response.end(body);
}

function jsonError({ code, message }: AwsError): string {
  return JSON.stringify({ __type: code, message, Message: message });
}

function xmlError({ code, message, status }: AwsError): string {
  const type = status < 500 ? 'Sender' : 'Receiver';
  return `<ErrorResponse><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
}
