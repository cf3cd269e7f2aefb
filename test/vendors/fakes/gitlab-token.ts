import { type Description, type Held, type Reply, random } from '../engine.ts';

const failed = (status: number, message: string, headers = {}): Reply => ({ status, json: { message }, headers });
const shown = ({ id, name, createdAt, lastUsedAt, enabled, more }: Held) => ({
  user_id: 166,
  scopes: more['scopes'],
  name,
  expires_at: more['expires_at'],
  id: Number(id),
  active: enabled,
  created_at: new Date(createdAt).toISOString(),
  description: null,
  last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  revoked: !enabled,
  access_level: more['access_level'],
});

/** From docs.gitlab.com/api/project_access_tokens and group_access_tokens: the same calls under another path. */
function gitlab(what: 'project' | 'group'): Description {
  const admin = `glpat-${random(20)}`;
  const tokens = `gitlab.com/api/v4/${what}s/:where/access_tokens`;
  const missing = failed(404, '404 Not Found');
  let serial = 40;
  return {
    provider: `gitlab-${what}-token`,
    docs: [`https://docs.gitlab.com/api/${what}_access_tokens/`],
    admin: { token: admin },
    params: { [what]: 'acme/shop', scopes: ['read_api'], accessLevel: 30 },
    isAdmin: ({ headers }) => headers['private-token'] === admin,
    presents: ({ headers }) => headers['private-token'],
    mint: () => `glpat-${random(20)}`,
    id: () => String(++serial),
    limit: null,
    refusal: failed(401, '401 Unauthorized'),
    slowDown: failed(429, 'Too Many Requests', { 'retry-after': '7' }),
    broken: failed(500, '500 Internal Server Error'),
    invalid: failed(400, '400 Bad request'),
    routes: [
      {
        call: `POST ${tokens}`,
        who: 'admin',
        json: {
          name: 'string(255)',
          scopes: 'string[]',
          expires_at: /^\d{4}-\d\d-\d\d$/,
          'access_level?': 'integer',
          'description?': 'string',
        },
        answer({ json: { name, ...more } }, vendor) {
          // "Maximum allowable lifetime": 365 days.
          if (Date.parse(String(more['expires_at'])) > Date.now() + 365 * 86_400_000) return failed(400, 'expires_at is too far away');
          const made = vendor.create(String(name), { access_level: 40, ...more });
          return { status: 201, json: { ...shown(made), token: made.value } };
        },
      },
      {
        call: `GET ${tokens}`,
        who: 'admin',
        query: {
          'state?': ['active', 'inactive'],
          'per_page?': /^([1-9]|[1-9]\d|100)$/,
          'page?': /^[1-9]\d*$/,
          'search?': 'string',
          'revoked?': ['true', 'false'],
        },
        answer({ query }, vendor) {
          const wanted = vendor.held.filter((one) => query.get('state') === null || one.enabled === (query.get('state') === 'active'));
          // Two to a page, whatever is asked for: the Link header has to be followed.
          const [page, size] = [Number(query.get('page') ?? 1), 2];
          const next = page * size < wanted.length;
          const to = (number: number) =>
            `https://gitlab.com/api/v4/${what}s/acme%2Fshop/access_tokens?page=${number}&per_page=${size}&state=${query.get('state') ?? ''}`;
          const headers = {
            link: `${next ? `<${to(page + 1)}>; rel="next", ` : ''}<${to(1)}>; rel="first"`,
            ...(next && { 'x-next-page': String(page + 1) }),
          };
          return { status: 200, json: wanted.slice((page - 1) * size, page * size).map(shown), headers };
        },
      },
      {
        call: `GET ${tokens}/:id`,
        who: 'admin',
        answer({ params }, vendor) {
          const found = vendor.held.find((one) => one.id === params['id']);
          return found ? { status: 200, json: shown(found) } : missing;
        },
      },
      {
        call: `DELETE ${tokens}/:id`,
        who: 'admin',
        answer({ params }, vendor) {
          const found = vendor.held.find((one) => one.id === params['id']);
          if (!found) return missing;
          // "400: Bad Request if not revoked successfully."
          if (!found.enabled) return failed(400, '400 Bad request');
          vendor.remove(found);
          return { status: 204 };
        },
      },
      {
        call: 'GET gitlab.com/api/v4/personal_access_tokens/self',
        who: 'subject',
        answer({ headers }, vendor) {
          const value = headers['private-token'] ?? '';
          const found = vendor.held.find((one) => one.value === value);
          return vendor.use(value) && found ? { status: 200, json: shown({ ...found, enabled: true }) } : failed(401, '401 Unauthorized');
        },
      },
    ],
    stranger: () => ({ scopes: ['api'], expires_at: '2027-01-31', access_level: 40 }),
  };
}

export const gitlabProjectToken = gitlab('project');
export const gitlabGroupToken = gitlab('group');
