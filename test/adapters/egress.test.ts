import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../adapters/providers/address.ts';
import { type EgressOptions, egress, maxAnswerBytes, whyNotAllowed } from '../../adapters/providers/egress.ts';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';

const get = (url: string, headers = {}) => ({ method: 'GET', url: new URL(url), headers });
const soon = () => AbortSignal.timeout(2000);
const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);
const address = (text: string) => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** Forty ways to write an address that is not the public internet's. */
const encodings = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '１２７.0.0.1',
  '0.0.0.0',
  '0',
  '169.254.169.254',
  '169.254.43518',
  '2852039166',
  '0xa9fea9fe',
  '0xA9.0xFE.0xA9.0xFE',
  '0251.0376.0251.0376',
  '169。254。169。254',
  '10.0.0.1',
  '10.1',
  '167772161',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '3232235521',
  '100.64.0.1',
  '100.127.255.255',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[::ffff:10.0.0.1]',
  '[::127.0.0.1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
];

describe('egress', () => {
  it('knows forty encodings', () => expect(new Set(encodings).size).toBe(40));

  it.each(encodings)('refuses the address %s in a URL, even when it is in the egress list', async (host) => {
    const url = `https://${host}/`;
    const hosts = [host, new URL(url).hostname, new URL(url).hostname.replace(/^\[|\]$/g, '')];
    expect(whyNotAllowed(new URL(url), { hosts, allowLoopback: false })).toBeTypeOf('string');
    expect(await thrownBy(egress({ hosts, allowLoopback: false })(get(url), soon()))).toBeInstanceOf(ProviderRefused);
  });

  it.each([
    '0.1.2.3',
    '10.255.0.1',
    '100.64.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.20.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '::8.8.8.8',
    '64:ff9b::8.8.8.8',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'nonsense',
    '',
  ])('does not call %j public', (text) => expect(isPublicAddress(text)).toBe(false));

  it.each([
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('calls %s public', (text) => {
    expect(isPublicAddress(text)).toBe(true);
  });

  it.each([
    ['another host', 'https://evil.example/'],
    ['a host below an allowed one', 'https://a.vendor.example/'],
    ['a host that ends like an allowed one', 'https://xvendor.example/'],
    ['a final dot', 'https://vendor.example./'],
    ['plain HTTP', 'http://vendor.example/'],
    ['another port', 'https://vendor.example:8443/'],
    ['a user', 'https://robot@vendor.example/'],
    ['another scheme', 'ftp://vendor.example/'],
  ])('refuses %s after templating, and asks no resolver', async (_what, url) => {
    let asked = 0;
    const send = egress({ hosts: ['vendor.example'], allowLoopback: false, resolve: async () => [address(`8.8.8.${asked++}`)] });
    expect(await thrownBy(send(get(url), soon()))).toBeInstanceOf(ProviderRefused);
    expect(asked).toBe(0);
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a private address behind a public one', ['8.8.8.8', '127.0.0.1']],
    ['an IPv4 address inside IPv6', ['::ffff:10.0.0.1']],
  ])('refuses a host that resolves to %s', async (_what, answers) => {
    const send = egress({ hosts: ['vendor.example'], allowLoopback: false, resolve: async () => answers.map(address) });
    expect(await thrownBy(send(get('https://vendor.example/'), soon()))).toBeInstanceOf(ProviderRefused);
  });

  it('says unavailable when the name does not resolve, or not in time', async () => {
    const failing: EgressOptions = {
      hosts: ['vendor.example'],
      allowLoopback: false,
      resolve: async () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })),
    };
    expect(await thrownBy(egress(failing)(get('https://vendor.example/'), soon()))).toMatchObject({
      name: 'ProviderUnavailable',
      message: expect.stringContaining('ENOTFOUND'),
    });
    expect(await thrownBy(egress({ ...failing, resolve: async () => [] })(get('https://vendor.example/'), soon()))).toBeInstanceOf(
      ProviderUnavailable,
    );
    const silent = egress({ ...failing, resolve: () => new Promise(() => {}) });
    expect(await thrownBy(silent(get('https://vendor.example/'), AbortSignal.timeout(50)))).toBeInstanceOf(ProviderUnavailable);
  });
});

describe('egress to a real server', () => {
  let server: Server;
  let port: number;
  let seen: string[];
  let answer: (path: string) => { status: number; headers?: Record<string, string>; body?: string };
  beforeEach(async () => {
    seen = [];
    answer = () => ({ status: 200, body: '{"ok":true}' });
    server = createServer((request, response) => {
      seen.push(`${request.headers.host} ${request.url}`);
      const { status, headers = {}, body = '' } = answer(request.url ?? '');
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  it('survives a rebinding resolver: one look-up for each request, and the connection goes to the address that was checked', async () => {
    const answers = [address('127.0.0.1'), address('169.254.169.254'), address('10.0.0.1')];
    let asked = 0;
    const send = egress({ hosts: ['vendor.example'], allowLoopback: true, resolve: async () => [answers[asked++] ?? address('10.0.0.2')] });
    expect((await send(get(`http://vendor.example:${port}/a`), soon())).json).toEqual({ ok: true });
    expect([asked, seen]).toEqual([1, [`vendor.example:${port} /a`]]);
    expect(await thrownBy(send(get(`http://vendor.example:${port}/b`), soon()))).toBeInstanceOf(ProviderRefused);
    expect([asked, seen.length]).toEqual([2, 1]);
  });

  it('follows no redirect: it is an answer like any other', async () => {
    answer = (path) => (path === '/a' ? { status: 302, headers: { location: `http://127.0.0.1:${port}/private` } } : { status: 200 });
    const send = egress({ hosts: ['127.0.0.1'], allowLoopback: true });
    expect((await send(get(`http://127.0.0.1:${port}/a`), soon())).status).toBe(302);
    expect(seen).toEqual([`127.0.0.1:${port} /a`]);
  });

  it('does not reach this machine unless the composition root says so', async () => {
    const send = egress({ hosts: ['127.0.0.1', 'localhost'], allowLoopback: false });
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await thrownBy(send(get(`http://${host}:${port}/`), soon()))).toBeInstanceOf(ProviderRefused);
    expect(seen).toEqual([]);
  });

  it('with loopback allowed, still reaches nothing else in plain HTTP or on another port', async () => {
    const send = egress({ hosts: ['vendor.example'], allowLoopback: true, resolve: async () => [address('8.8.8.8')] });
    for (const url of ['http://vendor.example/', 'https://vendor.example:8443/'])
      expect(await thrownBy(send(get(url), soon()))).toBeInstanceOf(ProviderRefused);
  });

  it('takes an answer up to its limit and none above', async () => {
    const send = egress({ hosts: ['127.0.0.1'], allowLoopback: true });
    answer = () => ({ status: 200, body: 'x'.repeat(maxAnswerBytes) });
    expect((await send(get(`http://127.0.0.1:${port}/`), soon())).text).toHaveLength(maxAnswerBytes);
    answer = () => ({ status: 200, body: 'x'.repeat(maxAnswerBytes + 1) });
    expect(await thrownBy(send(get(`http://127.0.0.1:${port}/`), soon()))).toBeInstanceOf(ProviderUnavailable);
    answer = () => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: 'x' });
    expect(await thrownBy(send(get(`http://127.0.0.1:${port}/`), soon()))).toBeInstanceOf(ProviderUnavailable);
  });

  it.each(['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'snow ☃'])('sends no header that holds %j', async (content) => {
    const send = egress({ hosts: ['127.0.0.1'], allowLoopback: true });
    const error = await thrownBy(send(get(`http://127.0.0.1:${port}/`, { authorization: content }), soon()));
    expect(error).toBeInstanceOf(ProviderRefused);
    expect(String(error)).not.toContain(content);
    expect(seen).toEqual([]);
  });
});
