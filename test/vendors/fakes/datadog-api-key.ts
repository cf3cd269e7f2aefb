import { randomUUID } from 'node:crypto';
import { type Description, type Held, hex, type Incoming, type Reply, random } from '../engine.ts';

export const failed = (status: number, message: string, headers = {}): Reply => ({ status, json: { errors: [message] }, headers });
export const datadogAdmin = { apiKey: random(32, hex), applicationKey: random(40, hex) };
export const isDatadogAdmin = ({ headers }: Incoming): boolean =>
  headers['dd-api-key'] === datadogAdmin.apiKey && headers['dd-application-key'] === datadogAdmin.applicationKey;
export const pageOf = (query: URLSearchParams, all: readonly unknown[], usual: number) => {
  const size = Number(query.get('page[size]') ?? usual);
  const number = Number(query.get('page[number]') ?? 0);
  return all.slice(number * size, (number + 1) * size);
};

const shown = ({ id, name, value, createdAt, lastUsedAt }: Held) => ({
  type: 'api_keys',
  id,
  attributes: {
    created_at: new Date(createdAt).toISOString().replace('Z', '000+00:00'),
    last4: value.slice(-4),
    modified_at: new Date(createdAt).toISOString().replace('Z', '000+00:00'),
    name,
    category: 'default',
    remote_config_read_enabled: true,
    date_last_used: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
    used_in_last_24_hours: lastUsedAt !== null,
  },
});
const missing = failed(404, 'API key not found');

/** From the recorded answers in tests/v2/cassettes of github.com/DataDog/datadog-api-client-python, and /api/v1/validate of its OpenAPI file. */
export const datadogApiKey: Description = {
  provider: 'datadog-api-key',
  docs: ['https://docs.datadoghq.com/api/latest/key-management/'],
  admin: datadogAdmin,
  params: {},
  isAdmin: isDatadogAdmin,
  presents: ({ headers }) => headers['dd-api-key'],
  mint: () => random(32, hex),
  id: () => randomUUID(),
  limit: 50,
  refusal: failed(403, 'Forbidden'),
  slowDown: failed(429, 'Rate limited', { 'x-ratelimit-reset': '7' }),
  broken: failed(500, 'Internal error'),
  invalid: failed(400, 'Bad Request'),
  routes: [
    {
      call: 'POST api.datadoghq.com/api/v2/api_keys',
      who: 'admin',
      json: {
        data: { type: ['api_keys'], attributes: { name: 'string', 'category?': 'string', 'remote_config_read_enabled?': 'boolean' } },
      },
      answer({ json }, vendor) {
        if (vendor.isFull()) return failed(400, 'Bad Request');
        const made = vendor.create((json as { data: { attributes: { name: string } } }).data.attributes.name);
        const { attributes, ...rest } = shown(made);
        return { status: 201, json: { data: { ...rest, attributes: { ...attributes, key: made.value } } } };
      },
    },
    {
      call: 'GET api.datadoghq.com/api/v2/api_keys',
      who: 'admin',
      query: { 'page[size]?': /^([1-9]|[1-9]\d|100)$/, 'page[number]?': /^\d+$/, 'filter?': 'string', 'sort?': 'string' },
      answer: ({ query }, vendor) => ({
        status: 200,
        json: { data: pageOf(query, vendor.present().map(shown), 10), meta: { page: { total_filtered_count: vendor.present().length } } },
      }),
    },
    {
      call: 'GET api.datadoghq.com/api/v2/api_keys/:id',
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        return found ? { status: 200, json: { data: shown(found) } } : missing;
      },
    },
    {
      call: 'DELETE api.datadoghq.com/api/v2/api_keys/:id',
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 204 };
      },
    },
    {
      call: 'GET api.datadoghq.com/api/v1/validate',
      who: 'subject',
      answer: ({ headers }, vendor) =>
        vendor.use(headers['dd-api-key'] ?? '') ? { status: 200, json: { valid: true } } : failed(403, 'Forbidden'),
    },
  ],
};
