import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly input: Record<string, unknown>;
}

/** What it answers to a request: a status, and the body that goes with it. */
export type Reply = (asked: Asked) => { readonly status: number; readonly body: unknown };

/** A door that answers what a test says: for what an installation does only rarely. */
export interface StubDoor {
  /** A folder with a `.rekey` in it that names this door. */
  readonly workspace: string;
  readonly url: string;
  readonly asked: Asked[];
  reply: Reply;
  stop(): Promise<void>;
}

export const ok = (result: unknown) => ({ status: 200, body: { result } });
/** The one page of an answer that comes page by page. */
export const page = (rows: readonly unknown[]) => ({ rows, looked: rows.length, next: null });
export const refused = (code: string, status = 409, problems: readonly object[] = []) => ({
  status,
  body: { error: { code, name: 'Refused', message: `said the door (${code})`, problems } },
});

/** Starts it on a free port of the loopback address. */
export async function stubDoor(): Promise<StubDoor> {
  const workspace = mkdtempSync(join(tmpdir(), 'rekey-door-'));
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const one = { path: request.url ?? '', headers: request.headers, input: text.startsWith('{') ? JSON.parse(text) : { text } };
    asked.push(one);
    const { status, body } = door.reply(one);
    response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/xml' : 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mkdirSync(join(workspace, '.rekey'));
  writeFileSync(
    join(workspace, '.rekey', 'local.json'),
    JSON.stringify({ url, token: 'token-of-a-test', pid: process.pid, startedAt: '2026-01-01T00:00:00Z' }),
  );
  const door: StubDoor = {
    workspace,
    url,
    asked,
    reply: () => ok({}),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(workspace, { recursive: true, force: true });
    },
  };
  return door;
}
