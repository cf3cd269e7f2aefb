import type { Vendor } from '../../local/sandbox/vendor.ts';

/** Calls a sandbox vendor over HTTP as its admin, as a subject, and through its door. */
export function vendorClient(vendor: () => Vendor) {
  async function call(method: string, path: string, key: string, body?: unknown, headers = {}) {
    const response = await fetch(`${vendor().url}${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }
  const admin = (method: string, path: string, body?: unknown, headers = {}) =>
    call(method, `/v1/principals/robot/keys${path}`, vendor().adminKey.reveal(), body, headers);
  const door = (method: string, path: string, body?: unknown) => call(method, `/_sandbox${path}`, vendor().adminKey.reveal(), body);
  const create = async (name = 'a', scopes = ['read']) => (await admin('POST', '', { name, scopes })).body as { id: string; value: string };
  const whoami = async (value: string) => (await call('GET', '/v1/whoami', value)).status;

  return { call, admin, door, create, whoami };
}
