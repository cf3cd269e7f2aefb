import { bearer, type Description, type Held, type Reply, random } from '../engine.ts';

const failed = (status: number, message: string, headers = {}): Reply => ({
  status,
  json: { errors: [{ message, field: null }] },
  headers,
});
const admin = `SG.${random(22)}.${random(43)}`;
const shown = ({ id, name }: Held) => ({ api_key_id: id, name });
const missing = failed(404, 'unable to find API Key');

/** From tsg_api_keys_v3 and tsg_scopes_v3 of github.com/twilio/sendgrid-oai. */
export const sendgrid: Description = {
  provider: 'sendgrid',
  docs: ['https://www.twilio.com/docs/sendgrid/api-reference/api-keys'],
  admin: { apiKey: admin },
  params: { scopes: ['mail.send'] },
  isAdmin: (call) => bearer(call) === admin,
  presents: bearer,
  mint: () => `SG.${random(22)}.${random(43)}`,
  id: () => random(22),
  limit: 100,
  saysFull: true,
  refusal: failed(401, 'authorization required'),
  slowDown: failed(429, 'too many requests', { 'retry-after': '7' }),
  broken: failed(500, 'internal server error'),
  invalid: failed(400, 'bad request'),
  routes: [
    {
      call: 'POST api.sendgrid.com/v3/api_keys',
      who: 'admin',
      json: { name: 'string', 'scopes?': 'string[]' },
      answer({ json }, vendor) {
        // "If the number of maximum keys, 100, is reached, a 403 status will be returned."
        if (vendor.isFull()) return failed(403, 'no more keys');
        const made = vendor.create(String(json['name']), { scopes: json['scopes'] ?? [] });
        return { status: 201, json: { api_key: made.value, ...shown(made), scopes: json['scopes'] ?? [] } };
      },
    },
    {
      call: 'GET api.sendgrid.com/v3/api_keys',
      who: 'admin',
      query: { 'limit?': /^\d+$/ },
      answer: (_call, vendor) => ({ status: 200, json: { result: vendor.present().map(shown) } }),
    },
    {
      call: 'DELETE api.sendgrid.com/v3/api_keys/:id',
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 204 };
      },
    },
    {
      call: 'GET api.sendgrid.com/v3/scopes',
      who: 'subject',
      answer(call, vendor) {
        const value = bearer(call) ?? '';
        if (!vendor.use(value)) return failed(401, 'authorization required');
        const scopes = vendor.held.find((one) => one.value === value)?.more['scopes'] as string[];
        // A key that may not ask works all the same: GetScopes403.
        return scopes.length === 0 ? failed(403, 'access forbidden') : { status: 200, json: { scopes } };
      },
    },
  ],
  stranger: () => ({ scopes: ['mail.send'] }),
};
