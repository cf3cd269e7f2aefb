import { basic, type Description, type Held, type Reply, random } from '../engine.ts';

const orgUrl = 'https://acme.okta.com';
const token = `00${random(40)}`;
const clientId = `0oa${random(17)}`;
const appId = `0oa${random(17)}`;
const secrets = 'acme.okta.com/api/v1/apps/:app/credentials/secrets';
const failed = (status: number, errorCode: string, errorSummary: string, cause?: string, headers = {}): Reply => ({
  status,
  json: { errorCode, errorSummary, errorLink: errorCode, errorId: random(24), errorCauses: cause ? [{ errorSummary: cause }] : [] },
  headers,
});
const invalid = (cause: string) => failed(400, 'E0000001', 'Api validation failed: OAuth2ClientSecretMediated', cause);
const missing = failed(404, 'E0000007', 'Not found: Resource not found: (OAuth2ClientSecretMediated)');
const shown = ({ id, value, createdAt, enabled }: Held) => ({
  id,
  created: new Date(createdAt).toISOString(),
  lastUpdated: new Date(createdAt).toISOString(),
  client_secret: value,
  secret_hash: random(22),
  status: enabled ? 'ACTIVE' : 'INACTIVE',
  _links: {},
});

/** From management-minimal.yaml 2026.06.2 of github.com/okta/okta-management-openapi-spec, with the words of its documented errors. */
export const oktaClientSecret: Description = {
  provider: 'okta-client-secret',
  docs: ['https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/'],
  hosts: ['acme.okta.com'],
  alone: true,
  creates: 'POST acme.okta.com/api/v1/apps/',
  admin: { token, orgUrl },
  params: { orgUrl, appId, clientId },
  isAdmin: ({ headers }) => headers['authorization'] === `SSWS ${token}`,
  presents: (call) => basic(call)?.split(':')[1],
  mint: () => random(40),
  id: () => `ocs${random(17)}`,
  limit: 2,
  countsDisabled: true,
  saysFull: true,
  refusal: failed(401, 'E0000011', 'Invalid token provided'),
  slowDown: failed(429, 'E0000047', 'API call exceeded rate limit due to too many requests.'),
  broken: failed(500, 'E0000009', 'Internal Server Error'),
  invalid: failed(400, 'E0000003', 'The request body was not well-formed.'),
  routes: [
    {
      call: `GET ${secrets}`,
      who: 'admin',
      answer: (_call, vendor) => ({ status: 200, json: vendor.present().map(shown) }),
    },
    {
      call: `POST ${secrets}`,
      who: 'admin',
      json: { 'client_secret?': 'string(100)', 'status?': ['ACTIVE', 'INACTIVE'] },
      answer({ json }, vendor) {
        if (vendor.isFull()) return invalid("You've reached the maximum number of client secrets per client.");
        const given = json['client_secret'] === undefined ? {} : { value: String(json['client_secret']) };
        const made = vendor.create('', {}, given);
        if (json['status'] === 'INACTIVE') vendor.disable(made);
        return { status: 201, json: shown(made) };
      },
    },
    {
      call: `POST ${secrets}/:id/lifecycle/deactivate`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        if (found.enabled && vendor.present().filter(({ enabled }) => enabled).length === 1)
          return invalid("You can't deactivate the only active client secret.");
        vendor.disable(found);
        return { status: 200, json: shown(found) };
      },
    },
    {
      call: `DELETE ${secrets}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        if (found.enabled) return invalid("You can't delete an active client secret. Deactivate the secret before deleting it.");
        vendor.remove(found);
        return { status: 204 };
      },
    },
    {
      call: 'POST acme.okta.com/oauth2/v1/introspect',
      who: 'subject',
      form: { token: 'string', 'token_type_hint?': ['access_token', 'id_token', 'refresh_token'] },
      answer(call, vendor) {
        const [id, secret = ''] = basic(call)?.split(':') ?? [];
        return id === clientId && vendor.use(secret)
          ? { status: 200, json: { active: false } }
          : {
              status: 401,
              json: { error: 'invalid_client', error_description: 'The client secret supplied for a confidential client is invalid.' },
            };
      },
    },
  ],
};
