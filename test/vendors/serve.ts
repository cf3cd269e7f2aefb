import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Outgoing } from '../../adapters/providers/egress.ts';
import { ProviderUnavailable } from '../../core/errors.ts';
import type { Incoming, Vendor } from './engine.ts';

/** A vendor behind real HTTP on this machine: `origins` says where each of its hosts is played. */
export async function serveVendor(vendor: Vendor, hosts: readonly string[]) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    // The first part of the path is the host that the request was meant for.
    const url = new URL(request.url ?? '/', 'http://fake');
    const [, host = '', ...path] = url.pathname.split('/');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, text]) => [name, String(text)]));
    const reply = vendor.answer({ method: request.method ?? '', host, path: `/${path.join('/')}`, query: url.searchParams, headers, body });
    if (reply === 'lost') return response.destroy();
    const text = reply.json === undefined ? '' : JSON.stringify(reply.json);
    return response.writeHead(reply.status, { ...(text && { 'content-type': 'application/json' }), ...reply.headers }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origins: Object.fromEntries(hosts.map((host) => [`https://${host}`, `${at}/${host}`])),
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** A vendor without sockets, for virtual time: the transport of a provider. */
export function sendTo(vendor: Vendor): (outgoing: Outgoing) => Promise<Answer> {
  return async ({ method, url, headers, body = '' }) => {
    const incoming: Incoming = { method, host: url.host, path: url.pathname, query: url.searchParams, headers, body };
    const reply = vendor.answer(incoming);
    if (reply === 'lost') throw new ProviderUnavailable('the provider did not answer (ECONNRESET)');
    const text = reply.json === undefined ? '' : JSON.stringify(reply.json);
    return { status: reply.status, headers: { ...reply.headers }, text, json: reply.json === undefined ? undefined : JSON.parse(text) };
  };
}
