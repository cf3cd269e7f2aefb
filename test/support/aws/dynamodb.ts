import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * How the next request is answered. `status` and `body`: with that, as DynamoDB's documentation words it.
 * `cut`: with a closed connection. `silent`: never. `applied`: the database does it first, and only its answer is lost.
 */
export type Answer =
  | { readonly status: number; readonly body: Record<string, unknown>; readonly applied?: boolean }
  | { readonly cut: true; readonly applied?: boolean }
  | { readonly silent: true };

interface Seen {
  /** `TransactWriteItems`, `UpdateItem` … */
  readonly operation: string;
  readonly body: Record<string, unknown>;
}

export interface DynamoProxy {
  readonly endpoint: string;
  /** Every request since the last `script`, in order. */
  readonly seen: readonly Seen[];
  /** Forgets what was seen and answers the next requests so; every later one is passed on to the database. `always` answers all. */
  script(answers: readonly Answer[], always?: Answer): void;
  close(): Promise<void>;
}

/** Stands between a client and a DynamoDB API, and does what the embedded engine never does: conflicts, throttling, lost answers. */
export async function startDynamoProxy(upstream: string): Promise<DynamoProxy> {
  let seen: Seen[] = [];
  let answers: Answer[] = [];
  let fallback: Answer | undefined;

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    seen.push({ operation: String(request.headers['x-amz-target']).split('.')[1] ?? '', body: JSON.parse(body) });
    const answer = answers.shift() ?? fallback;
    if (answer && 'silent' in answer) return;
    const passed = !answer || answer.applied ? await pass(upstream, request, body) : undefined;
    if (answer && 'cut' in answer) request.socket.destroy();
    else response.writeHead(answer?.status ?? passed!.status, jsonHeader).end(answer ? JSON.stringify(answer.body) : passed!.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen;
    },
    script(next, always) {
      [seen, answers, fallback] = [[], [...next], always];
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An error as DynamoDB words it. */
export function dynamoError(name: string, status = 400, extra: Record<string, unknown> = {}): Answer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'MARKER-of-the-vendor', ...extra } };
}

/** A cancelled transaction with one reason per write. */
export function cancelledTransaction(...codes: string[]): Answer {
  const CancellationReasons = codes.map((Code) => (Code === 'None' ? { Code } : { Code, Message: 'MARKER-of-the-vendor' }));
  return dynamoError('TransactionCanceledException', 400, { CancellationReasons });
}

const jsonHeader = { 'content-type': 'application/x-amz-json-1.0' };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function pass(upstream: string, request: IncomingMessage, body: string): Promise<{ status: number; text: string }> {
  const signed = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-') || name === 'authorization');
  const headers = { ...jsonHeader, ...(Object.fromEntries(signed) as Record<string, string>) };
  const answer = await fetch(upstream, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}
