import { randomUUID } from 'node:crypto';
import { type Description, type Held, hex, random } from '../engine.ts';
import { datadogAdmin, failed, isDatadogAdmin, pageOf } from './datadog-api-key.ts';

const account = randomUUID();
const keys = 'api.datadoghq.com/api/v2/service_accounts/:account/application_keys';
const missing = failed(404, 'Application key not found');
const shown = ({ id, name, value, createdAt, lastUsedAt, more }: Held) => ({
  type: 'application_keys',
  id,
  attributes: {
    name,
    created_at: new Date(createdAt).toISOString(),
    last4: value.slice(-4),
    scopes: more['scopes'] ?? null,
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  },
  relationships: { owned_by: { data: { type: 'users', id: account } }, leak_information: { data: null } },
});

/** From the recorded answers of github.com/DataDog/datadog-api-client-python; /api/v2/validate_keys from its key_management_api.py. */
export const datadogApplicationKey: Description = {
  provider: 'datadog-application-key',
  docs: ['https://docs.datadoghq.com/api/latest/service-accounts/'],
  admin: datadogAdmin,
  params: { serviceAccount: account, scopes: ['dashboards_read'] },
  isAdmin: isDatadogAdmin,
  presents: ({ headers }) => headers['dd-application-key'],
  mint: () => random(40, hex),
  id: () => randomUUID(),
  limit: null,
  refusal: failed(403, 'Forbidden'),
  slowDown: failed(429, 'Rate limited', { 'x-ratelimit-reset': '7' }),
  broken: failed(500, 'Internal error'),
  invalid: failed(400, 'Bad Request'),
  routes: [
    {
      call: `POST ${keys}`,
      who: 'admin',
      json: { data: { type: ['application_keys'], attributes: { name: 'string', 'scopes?': 'string[]' } } },
      answer({ json }, vendor) {
        const { name, scopes } = (json as { data: { attributes: { name: string; scopes?: string[] } } }).data.attributes;
        const made = vendor.create(name, { scopes: scopes ?? null });
        const { attributes, ...rest } = shown(made);
        return { status: 201, json: { data: { ...rest, attributes: { ...attributes, key: made.value } } } };
      },
    },
    {
      call: `GET ${keys}`,
      who: 'admin',
      query: { 'page[size]?': /^([1-9]|[1-9]\d|100)$/, 'page[number]?': /^\d+$/ },
      answer: ({ query }, vendor) => ({
        status: 200,
        json: {
          data: pageOf(query, vendor.present().map(shown), 10),
          meta: { page: { total_filtered_count: vendor.present().length }, max_allowed_per_user: 1000 },
        },
      }),
    },
    {
      call: `GET ${keys}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        return found ? { status: 200, json: { data: shown(found) } } : missing;
      },
    },
    {
      call: `DELETE ${keys}/:id`,
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
      answer: ({ headers }) =>
        headers['dd-api-key'] === datadogAdmin.apiKey ? { status: 200, json: { valid: true } } : failed(403, 'Forbidden'),
    },
    {
      call: 'GET api.datadoghq.com/api/v2/validate_keys',
      who: 'subject',
      answer({ headers }, vendor) {
        const both = headers['dd-api-key'] === datadogAdmin.apiKey && vendor.use(headers['dd-application-key'] ?? '');
        return both ? { status: 200, json: { status: 'ok' } } : failed(403, 'Forbidden');
      },
    },
  ],
};
