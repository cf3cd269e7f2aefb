import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPrivateAddress } from '../../adapters/providers/address.ts';
import { type EgressOptions, egress, whyNotAllowed } from '../../adapters/providers/egress.ts';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import { startVendor } from '../../local/sandbox/vendor.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { good, refusal } from '../support/good-spec.ts';

const get = (url: string) => ({ method: 'GET', url: new URL(url), headers: {} });
const soon = () => AbortSignal.timeout(2000);
const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);
const at =
  (...addresses: readonly string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

let certificate: Certificate;
let server: Server;
let port: number;
let seen: string[] = [];
beforeAll(async () => {
  certificate = makeCertificate('IP:127.0.0.1', 'DNS:gitlab.internal');
  server = createServer(certificate, (request, response) => {
    seen.push(`${request.headers.host}${request.url}`);
    response.writeHead(request.url === '/away' ? 302 : 200, { location: '/elsewhere' }).end('{"ok":true}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

describe('a vendor inside the network', () => {
  const options = (more: Partial<EgressOptions> = {}): EgressOptions => ({
    hosts: ['127.0.0.1'],
    allowLoopback: false,
    privateHosts: [`127.0.0.1:${port}`],
    authorities: certificate.cert,
    ...more,
  });

  it('is reached over HTTPS where its exact host and port are listed, with its own authority', async () => {
    seen = [];
    const send = egress(options());
    expect((await send(get(`https://127.0.0.1:${port}/a`), soon())).json).toEqual({ ok: true });
    expect((await send(get(`https://127.0.0.1:${port}/away`), soon())).status).toBe(302);
    expect(seen).toEqual([`127.0.0.1:${port}/a`, `127.0.0.1:${port}/away`]);
  });

  it('is not trusted without that authority', async () => {
    seen = [];
    const { authorities, ...without } = options();
    expect(authorities).toContain('CERTIFICATE');
    const error = await thrownBy(egress(without)(get(`https://127.0.0.1:${port}/a`), soon()));
    expect(error).toBeInstanceOf(ProviderUnavailable);
    expect(String(error)).toMatch(/SELF_SIGNED/);
    expect(seen).toEqual([]);
  });

  it('is not trusted under a name that its certificate does not have', async () => {
    seen = [];
    const named = options({
      hosts: ['other.internal'],
      privateHosts: [`other.internal:${port}`],
      resolve: at('127.0.0.1'),
      allowLoopback: true,
    });
    expect(String(await thrownBy(egress(named)(get(`https://other.internal:${port}/`), soon())))).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(seen).toEqual([]);
  });

  it.each([
    ['in plain HTTP', (own: number) => `http://127.0.0.1:${own}/`],
    ['at another port', (own: number) => `https://127.0.0.1:${own + 1}/`],
    ['at the port of HTTPS', () => 'https://127.0.0.1/'],
    ['at another address of this machine', (own: number) => `https://127.0.0.2:${own}/`],
    ['by another name', (own: number) => `https://localhost:${own}/`],
    ['with a user', (own: number) => `https://robot@127.0.0.1:${own}/`],
  ])('is not reached %s', async (_how, url) => {
    seen = [];
    const send = egress(options({ hosts: ['127.0.0.1', '127.0.0.2', 'localhost'] }));
    expect(await thrownBy(send(get(url(port)), soon()))).toBeInstanceOf(ProviderRefused);
    expect(seen).toEqual([]);
  });

  it('is not reached when the spec does not have it in its egress list', async () => {
    expect(await thrownBy(egress(options({ hosts: ['api.vendor.example'] }))(get(`https://127.0.0.1:${port}/`), soon()))).toBeInstanceOf(
      ProviderRefused,
    );
  });

  it('is not made reachable for other hosts: their addresses must still be public', async () => {
    for (const address of ['10.0.0.7', '127.0.0.1', '169.254.169.254', '::ffff:10.0.0.7']) {
      const send = egress(options({ hosts: ['api.vendor.example'], resolve: at(address) }));
      expect(await thrownBy(send(get('https://api.vendor.example/'), soon()))).toBeInstanceOf(ProviderRefused);
    }
  });

  it('has one checked address: a name that leads to this machine, to metadata or to both kinds is refused', async () => {
    seen = [];
    const listed = { hosts: ['gitlab.internal'], privateHosts: [`gitlab.internal:${port}`] };
    for (const addresses of [
      ['127.0.0.1'],
      ['::1'],
      ['169.254.169.254'],
      ['169.254.170.2'],
      ['fe80::1'],
      ['fd00:ec2::254'],
      ['fd00:ec2::23'],
      ['fd20:ce::254'],
      ['100.100.100.200'],
      ['0.0.0.0'],
      ['::'],
      ['224.0.0.1'],
      ['::ffff:10.0.0.7'],
      ['::ffff:169.254.169.254'],
      ['64:ff9b::a9fe:a9fe'],
      ['10.0.0.7', '169.254.169.254'],
      ['10.0.0.7', '127.0.0.1'],
    ]) {
      const send = egress(options({ ...listed, resolve: at(...addresses) }));
      expect([addresses, await thrownBy(send(get(`https://gitlab.internal:${port}/`), soon()))]).toEqual([
        addresses,
        expect.any(ProviderRefused),
      ]);
    }
    expect(seen).toEqual([]);
  });

  it('is connected to at the private address that was checked', async () => {
    // Nobody answers there; what counts is that it was tried and not refused.
    for (const address of ['192.0.2.1', '10.255.255.1']) {
      const send = egress(options({ hosts: ['gitlab.internal'], privateHosts: [`gitlab.internal:${port}`], resolve: at(address) }));
      const error = await thrownBy(send(get(`https://gitlab.internal:${port}/`), AbortSignal.timeout(200)));
      expect([address, error]).toEqual([address, address === '192.0.2.1' ? expect.any(ProviderRefused) : expect.any(ProviderUnavailable)]);
    }
  });

  it('never has an address of metadata or the link, however it is written and although it is listed', async () => {
    for (const host of [
      '169.254.169.254',
      '169.254.43518',
      '2852039166',
      '0xa9fea9fe',
      '0xA9.0xFE.0xA9.0xFE',
      '0251.0376.0251.0376',
      '169。254。169。254',
      '169.254.170.2',
      '100.100.100.200',
      '0.0.0.0',
      '0',
      '[::]',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '[::ffff:169.254.169.254]',
      '[::ffff:a9fe:a9fe]',
      '[::ffff:10.0.0.1]',
      '[::ffff:127.0.0.1]',
      '[::127.0.0.1]',
      '[64:ff9b::a9fe:a9fe]',
      '[2002:a9fe:a9fe::1]',
    ]) {
      const url = new URL(`https://${host}:8443/`);
      const hosts = [host, url.hostname, url.hostname.replace(/^\[|\]$/g, '')];
      const privateHosts = hosts.flatMap((name) => [`${name}:8443`, name]);
      expect([host, whyNotAllowed(url, { hosts, allowLoopback: false, privateHosts })]).toEqual([host, expect.any(String)]);
      expect(await thrownBy(egress(options({ hosts, privateHosts }))(get(url.href), soon()))).toBeInstanceOf(ProviderRefused);
    }
  });

  it('is told from other private ranges by address alone', () => {
    for (const address of ['10.0.0.1', '100.64.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fd12:3456::1', 'fc00::1'])
      expect([address, isPrivateAddress(address)]).toEqual([address, true]);
    for (const address of [
      '8.8.8.8',
      '172.32.0.1',
      '127.0.0.1',
      '169.254.1.1',
      '2606:4700::1111',
      'fe80::1',
      'fd00:ec2::254',
      'nonsense',
      '',
    ])
      expect([address, isPrivateAddress(address)]).toEqual([address, false]);
  });
});

describe('a spec of a vendor inside the network', () => {
  const inside = good
    .replaceAll('api.vendor.example', 'gitlab.internal')
    .replace("default: 'https://gitlab.internal'", "default: 'https://gitlab.internal:8443'");

  it('is refused unless its host and port are listed', () => {
    expect(refusal(inside).problems).toEqual([{ path: 'base.default', message: expect.stringContaining('privateHosts') }]);
    expect(refusal(inside, { privateHosts: ['gitlab.internal:443'] }).problems).toHaveLength(1);
    expect(loadSpec(inside, 'inside.yaml', { privateHosts: ['gitlab.internal:8443'] }).base?.default).toBe('https://gitlab.internal:8443');
  });

  it('is refused for a name that only a private network has, also on the usual port', () => {
    const usual = inside.replace(':8443', '');
    expect(refusal(usual).problems).toEqual([{ path: 'base.default', message: expect.stringContaining('list it as host:port') }]);
    expect(loadSpec(usual, 'inside.yaml', { privateHosts: ['gitlab.internal:443'] }).egress).toEqual(['gitlab.internal']);
  });

  it('may have an address in place of a name, where that is listed', () => {
    const address = inside.replaceAll('gitlab.internal', '10.1.2.3');
    expect(refusal(address).problems.map(({ path }) => path)).toEqual(['egress.0', 'base.default']);
    expect(loadSpec(address, 'inside.yaml', { privateHosts: ['10.1.2.3:8443'] }).egress).toEqual(['10.1.2.3']);
  });

  it('is refused in plain HTTP although it is listed', () => {
    expect(refusal(inside.replace('https://gitlab', 'http://gitlab'), { privateHosts: ['gitlab.internal:8443'] }).problems).toEqual([
      { path: 'base.default', message: expect.stringContaining('must begin with https://') },
    ]);
  });

  it('makes a provider that mints and probes there', async () => {
    const vendor = await startVendor({ tls: certificate });
    const privateHosts = [`127.0.0.1:${vendor.port}`];
    const yaml = inside.replaceAll('gitlab.internal:8443', privateHosts[0] ?? '').replaceAll('gitlab.internal', '127.0.0.1');
    const admin = async () => ({ apiKey: vendor.adminKey });
    const found = providers({
      specs: [loadSpec(yaml, 'inside.yaml', { privateHosts })],
      native: [],
      admin,
      callSeconds: 2,
      privateHosts,
      authorities: certificate.cert,
    }).provider('sandbox');
    const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot', scopes: ['read'] } };
    const { value } = await found.create(subject, 'label');
    expect(await found.probe(subject, value)).toMatchObject({ verdict: 'alive' });
    expect(vendor.url).toMatch(/^https:/);
    await vendor.stop();
  });
});
