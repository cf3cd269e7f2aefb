import { randomUUID } from 'node:crypto';
import { bearer, type Description, type Held, type Reply, random } from '../engine.ts';

const tenant = randomUUID();
const objectId = randomUUID();
const [clientId, adminClient] = [randomUUID(), randomUUID()];
const clientSecret = `${random(3)}8Q~${random(34)}`;
const accessToken = random(60);
const failed = (status: number, code: string, headers = {}): Reply => ({
  status,
  json: { error: { code, message: 'The request was refused.', innerError: { date: '2026-11-28T00:00:00', 'request-id': randomUUID() } } },
  headers,
});
const application = 'graph.microsoft.com/v1.0/applications/:object';
const shown = ({ id, name, value, createdAt, more }: Held) => ({
  customKeyIdentifier: null,
  displayName: name,
  endDateTime: more['endDateTime'] ?? new Date(createdAt + 2 * 365 * 86_400_000).toISOString(),
  hint: value.slice(0, 3),
  keyId: id,
  secretText: null,
  startDateTime: new Date(createdAt).toISOString(),
});
const invalidClient = (code: number): Reply => ({
  status: 401,
  json: {
    error: 'invalid_client',
    error_description: `AADSTS${code}: refused.`,
    error_codes: [code],
    timestamp: '2026-11-28 00:00:00Z',
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  },
});

/** From learn.microsoft.com/graph/api/application-addpassword, -removepassword and -get, and the identity platform's error codes. */
export const entraAppPassword: Description = {
  provider: 'entra-app-password',
  docs: ['https://learn.microsoft.com/graph/api/application-addpassword'],
  creates: 'POST graph.microsoft.com/',
  admin: { clientId: adminClient, clientSecret },
  params: { tenant, objectId, clientId },
  isAdmin: (call) => bearer(call) === accessToken,
  presents: ({ body }) => new URLSearchParams(body).get('client_secret') ?? undefined,
  mint: () => `${random(3)}8Q~${random(34)}`,
  id: () => randomUUID(),
  limit: null,
  refusal: failed(401, 'InvalidAuthenticationToken'),
  slowDown: failed(429, 'TooManyRequests', { 'retry-after': '7' }),
  broken: failed(503, 'ServiceUnavailable'),
  invalid: failed(400, 'Request_BadRequest'),
  routes: [
    {
      call: 'POST login.microsoftonline.com/:tenant/oauth2/v2.0/token',
      who: 'anybody',
      form: {
        grant_type: ['client_credentials'],
        client_id: 'string',
        client_secret: 'string',
        scope: ['https://graph.microsoft.com/.default'],
      },
      answer({ form, params }, vendor) {
        if (params['tenant'] !== tenant) return { status: 400, json: { error: 'invalid_request', error_codes: [90002] } };
        const token = (access_token: string): Reply => ({
          status: 200,
          json: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token },
        });
        if (form['client_id'] === adminClient) return form['client_secret'] === clientSecret ? token(accessToken) : invalidClient(7000215);
        return form['client_id'] === clientId && vendor.use(form['client_secret'] ?? '') ? token(random(60)) : invalidClient(7000215);
      },
    },
    {
      call: `POST ${application}/addPassword`,
      who: 'admin',
      json: { passwordCredential: { displayName: 'string', 'endDateTime?': 'string', 'startDateTime?': 'string' } },
      answer({ json }, vendor) {
        const { displayName, ...more } = json['passwordCredential'] as { displayName: string };
        const made = vendor.create(displayName, more);
        return { status: 200, json: { ...shown(made), secretText: made.value } };
      },
    },
    {
      call: `GET ${application}`,
      who: 'admin',
      query: { '$select?': 'string' },
      answer: (_call, vendor) => ({ status: 200, json: { passwordCredentials: vendor.present().map(shown) } }),
    },
    {
      call: `POST ${application}/removePassword`,
      who: 'admin',
      json: { keyId: 'string' },
      answer({ json }, vendor) {
        const found = vendor.find(String(json['keyId']));
        // Not a 404: "No password credential found with keyId."
        if (!found) return failed(400, 'Request_BadRequest');
        vendor.remove(found);
        return { status: 204 };
      },
    },
  ],
};
