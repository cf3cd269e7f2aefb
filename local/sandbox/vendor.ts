import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refused } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';
import { readBody, replyBefore, send, statusSent } from './answer.ts';
import { type Behaviour, defaultBehaviour, faults as faultSet } from './behaviour.ts';
import { credentials as credentialSet, mintValue, sha256 } from './credentials.ts';
import { type LogLine, openJournal } from './journal.ts';
import { type Door, doorReply } from './ops-door.ts';
import { matchRoute, type Route } from './route.ts';
import { failed, type Reply, vendorRules } from './vendor-rules.ts';

export interface VendorOptions {
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Keeps credentials and log over restarts. */
  readonly dataFile?: string;
  /** Absent: a random one. */
  readonly adminKey?: Value;
  readonly knobs?: Partial<Behaviour>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Makes the values; a test plants recognisable ones. */
  readonly mint?: () => string;
  /** PEM of its key and certificate: then it speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A running sandbox vendor, with its door for tests. */
export interface Vendor extends Door {
  readonly url: string;
  readonly port: number;
  readonly adminKey: Value;
  /** Ends every connection and frees the port. */
  stop(): Promise<void>;
}

/**
 * Starts the sandbox vendor on 127.0.0.1. It answers as a real vendor does, keeps no values (only their SHA-256), and logs
 * each request before it answers it.
 */
export async function startVendor(options: VendorOptions = {}): Promise<Vendor> {
  const adminKey = options.adminKey ?? new Value(`adm_${randomBytes(20).toString('hex')}`);
  const now = options.now ?? Date.now;
  const journal = openJournal(options.dataFile);
  const credentials = credentialSet(journal.stored, (credential) => journal.append({ credential }));
  const faults = faultSet();
  let behaviour: Behaviour = { ...defaultBehaviour, ...options.knobs };
  const rules = vendorRules({ credentials, behaviour: () => behaviour, faults, now, mint: options.mint ?? mintValue });
  const replayed = new Map<string, Reply>();

  const door: Door = {
    log: (since = 0) => journal.lines.slice(since),
    behave: (change) => {
      behaviour = { ...behaviour, ...change };
    },
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    settle: () => rules.settle(),
    stranger(principal, name = 'made by hand') {
      const { status, body } = rules.create(principal, name, []);
      if (status !== 201) throw new Refused('E_BUSY', `the sandbox vendor answered ${status}`);
      const { id, value } = body as { id: string; value: string };
      return { id, value };
    },
    consoleEnable(id) {
      if (rules.consoleEnable(id).status !== 200) throw new Refused('E_NOT_FOUND', 'the sandbox vendor has no such key');
    },
  };

  const perform = (route: Route, presented: string, body: unknown, idempotencyKey: string | undefined): Reply => {
    const { operation, principal, id } = route;
    if (operation === 'whoami' || operation === 'work') return rules.subject(operation, presented);
    if (!new Value(presented).equals(adminKey)) return failed(401, 'unauthorized');
    switch (operation) {
      case 'create': {
        const wish = createBody(body);
        if (!wish) return failed(400, 'bad_body');
        const known = idempotencyKey ? replayed.get(`${principal} ${idempotencyKey}`) : undefined;
        const reply = known ?? rules.create(principal, wish.name, wish.scopes);
        if (idempotencyKey && reply.status === 201) replayed.set(`${principal} ${idempotencyKey}`, reply);
        return reply;
      }
      case 'list':
        return rules.list(principal, route.cursor);
      case 'get':
        return rules.get(principal, id);
      case 'disable':
        return rules.disable(principal, id);
      case 'delete':
        return rules.remove(principal, id);
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const method = request.method ?? 'GET';
    const presented = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const body = await readBody(request);
    if (body === 'broken') return send(response, failed(400, 'bad_body'));
    if (url.pathname.startsWith('/_sandbox/')) {
      const allowed = new Value(presented).equals(adminKey);
      const reply = () => doorReply(door, method, url.pathname.slice('/_sandbox'.length), url.searchParams.get('since'), body.json);
      return send(response, allowed ? attempt(reply) : failed(401, 'unauthorized'));
    }
    const route = matchRoute(method, url);
    const line = (outcome: LogLine['outcome'], status: number) =>
      journal.append({
        log: {
          at: new Date(now()).toISOString(),
          method,
          path: safePath(url.pathname, (part) => credentials.byValue(part) !== undefined),
          operation: route?.operation ?? 'none',
          credentialId: credentials.byValue(presented)?.id ?? (new Value(presented).equals(adminKey) ? 'admin' : 'unknown'),
          valueSha256: sha256(presented),
          outcome,
          status,
        },
      });
    if (!route) {
      line('failed', 404);
      return send(response, failed(404, 'no_such_path'));
    }
    const slow = faults.take(route.operation, 'slow');
    if (slow) await pause(slow.ms ?? 2 ** 31 - 1, response);
    const before = faults.takeBefore(route.operation);
    if (before) {
      const reply = replyBefore(before);
      line('failed', reply?.status ?? 0);
      return send(response, reply);
    }
    const header = request.headers['idempotency-key'];
    const reply = perform(route, presented, body.json, Array.isArray(header) ? header[0] : header);
    const fault = faults.takeInstead(route.operation);
    line(reply.status === 401 ? 'refused' : 'accepted', statusSent(reply, fault));
    send(response, reply, fault);
  };

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...door,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    adminKey,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function attempt(reply: () => Reply): Reply {
  try {
    return reply();
  } catch (error) {
    return error instanceof Refused ? failed(error.code === 'E_NOT_FOUND' ? 404 : 409, error.code.toLowerCase()) : failed(500, 'internal');
  }
}

function createBody(body: unknown): { readonly name: string; readonly scopes: readonly string[] } | undefined {
  if (typeof body !== 'object' || body === null || !('name' in body) || typeof body.name !== 'string') return undefined;
  const scopes: unknown = 'scopes' in body ? body.scopes : [];
  return Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string') ? { name: body.name, scopes } : undefined;
}

/** Waits, but no longer than the caller does. */
async function pause(ms: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
}

/** The path with every part that is or looks like a value taken out. */
function safePath(path: string, isValue: (part: string) => boolean): string {
  return path
    .split('/')
    .map((part) => (isValue(part) || /^(sbx|adm)_/.test(part) ? '[value]' : part))
    .join('/');
}
