import { createPrivateKey, createPublicKey } from 'node:crypto';
import { bearer, type Description, type Held, type Reply, random } from '../engine.ts';

const failed = (status: number, message: string, headers = {}): Reply => ({
  status,
  json: { message, documentation_url: 'https://docs.github.com/rest/deploy-keys/deploy-keys', status: String(status) },
  headers,
});
const token = `github_pat_${random(22)}_${random(59)}`;
const repository = 'api.github.com/repos/octo-org/hello-world/keys';
const missing = failed(404, 'Not Found');
const shown = (one: Held) => ({
  id: Number(one.id),
  key: one.value,
  url: `https://${repository}/${one.id}`,
  title: one.name,
  verified: true,
  created_at: new Date(one.createdAt).toISOString().replace(/\.\d+Z/, 'Z'),
  read_only: one.more['read_only'] ?? true,
  added_by: 'octocat',
  last_used: one.lastUsedAt === null ? null : new Date(one.lastUsedAt).toISOString(),
  enabled: true,
});

const lineOf = (point: Buffer): string => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(point)]).toString('base64')}`;
};

/** What GitHub has of a private key, worked out from its secret half: the file's own public half is not believed. */
function publicOf(privateKey: string): string {
  const bytes = Buffer.from(privateKey.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  // Number twice, type, public, then seed and public: the last mention of the type is in the secret part.
  const seed = bytes.subarray(bytes.lastIndexOf('ssh-ed25519') + 11 + 4 + 32 + 4).subarray(0, 32);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  return lineOf(Buffer.from(x, 'base64url'));
}

/** From docs.github.com/rest/deploy-keys/deploy-keys, version 2022-11-28. */
export const githubDeployKey: Description = {
  provider: 'github-deploy-key',
  docs: ['https://docs.github.com/rest/deploy-keys/deploy-keys'],
  admin: { token },
  params: { owner: 'octo-org', repo: 'hello-world' },
  hosts: ['api.github.com'],
  isAdmin: (call) => bearer(call) === token && call.headers['user-agent'] !== undefined,
  presents: () => undefined,
  keeps: publicOf,
  mint: () => lineOf(Buffer.from(random(32))),
  id: () => random(9, '123456789'),
  limit: null,
  refusal: failed(401, 'Bad credentials'),
  slowDown: failed(403, 'You have exceeded a secondary rate limit', { 'retry-after': '7' }),
  broken: failed(500, 'Server Error'),
  invalid: failed(422, 'Validation Failed'),
  routes: [
    {
      call: `GET ${repository}`,
      who: 'admin',
      query: { 'per_page?': /^(100|[1-9]\d?)$/, 'page?': /^[1-9]\d*$/ },
      answer({ query }, vendor) {
        const size = Number(query.get('per_page') ?? 30);
        const from = (Number(query.get('page') ?? 1) - 1) * size;
        return {
          status: 200,
          json: vendor
            .present()
            .slice(from, from + size)
            .map(shown),
        };
      },
    },
    {
      call: `POST ${repository}`,
      who: 'admin',
      json: { 'title?': 'string', key: /^ssh-(ed25519|rsa) [A-Za-z0-9+/]+={0,2}( .*)?$/, 'read_only?': 'boolean' },
      answer({ json }, vendor) {
        const { key, title = '', read_only = false } = json as { key: string; title?: string; read_only?: boolean };
        if (vendor.present().some((one) => one.value === key)) return failed(422, 'key is already in use');
        return { status: 201, json: shown(vendor.create(title, { read_only }, { value: key })) };
      },
    },
    {
      call: `DELETE ${repository}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 204 };
      },
    },
  ],
};
