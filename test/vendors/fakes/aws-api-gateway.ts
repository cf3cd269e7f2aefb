import { type Call, type Description, type Held, type Incoming, type Reply, random, type Vendor } from '../engine.ts';

const control = 'apigateway.eu-west-1.amazonaws.com';
const api = 'a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com';
const plan = 'p1a2n3';

const failed = (status: number, code: string, message: string): Reply => ({
  status,
  json: { message },
  headers: { 'x-amzn-errortype': code },
});
const notFound = failed(404, 'NotFoundException', 'Invalid API Key identifier specified');
const conflict = failed(409, 'ConflictException', 'API Key already exists');
/** Every answer of a deployed API carries this header. */
const fromApi = { 'x-amz-apigw-id': 'Zm9yIHRlc3Rz' };

function plansOf({ more }: Held): string[] {
  more['plans'] ??= [];
  return more['plans'] as string[];
}

const shown = (one: Held) => ({
  id: one.id,
  name: one.name,
  description: one.more['description'] ?? '',
  enabled: one.enabled,
  createdDate: Math.floor(one.createdAt / 1000),
  lastUpdatedDate: Math.floor(one.createdAt / 1000),
  stageKeys: [],
});
const withKey = (call: Call, vendor: Vendor, answer: (one: Held) => Reply): Reply => {
  const found = vendor.find(call.params['id']);
  return found ? answer(found) : notFound;
};

/** Signed for this service and region, by a key that the account has (docs.aws.amazon.com/apigateway/latest/api). */
const isSigned = ({ headers }: Incoming): boolean =>
  /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/apigateway\/aws4_request, /.test(headers['authorization'] ?? '');

/** From docs.aws.amazon.com/apigateway/latest/api: API_CreateApiKey, API_GetApiKeys, API_UpdateApiKey, API_DeleteApiKey, API_CreateUsagePlanKey, API_GetUsagePlan. */
export const awsApiGateway: Description = {
  provider: 'aws-api-gateway',
  docs: ['https://docs.aws.amazon.com/apigateway/latest/api/API_CreateApiKey.html'],
  admin: {},
  params: { usagePlanId: plan, restApiId: 'a1b2c3d4e5', stage: 'prod', probePath: '/ping' },
  hosts: [control, api],
  creates: `POST ${control}/apikeys`,
  isAdmin: isSigned,
  presents: ({ headers }) => headers['x-api-key'],
  mint: () => random(40),
  id: () => random(10, 'abcdefghijklmnopqrstuvwxyz0123456789'),
  limit: null,
  refusal: failed(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.'),
  slowDown: failed(429, 'TooManyRequestsException', 'Too Many Requests'),
  broken: failed(500, 'InternalFailure', 'Internal server error'),
  invalid: failed(400, 'BadRequestException', 'Invalid request input'),
  routes: [
    {
      call: `GET ${control}/apikeys`,
      who: 'admin',
      query: { 'limit?': /^\d{1,3}$/, 'position?': 'string', 'includeValues?': ['true', 'false'] },
      answer({ query }, vendor) {
        // A small page, so that every test that lists reads more than one.
        const from = Number(query.get('position') ?? 0);
        const page = vendor.present().slice(from, from + 2);
        const more = vendor.present().length > from + 2 ? { position: String(from + 2) } : {};
        const values = query.get('includeValues') === 'true';
        return { status: 200, json: { item: page.map((one) => ({ ...shown(one), ...(values ? { value: one.value } : {}) })), ...more } };
      },
    },
    {
      call: `POST ${control}/apikeys`,
      who: 'admin',
      json: {
        'name?': 'string(1024)',
        'description?': 'string',
        'enabled?': 'boolean',
        'value?': /^[A-Za-z0-9]{20,128}$/,
        'tags?': 'json',
      },
      answer({ json }, vendor) {
        const { name = '', value, ...more } = json as { name?: string; value?: string };
        if (vendor.present().some((one) => one.value === value)) return conflict;
        const made = vendor.create(name, more, value === undefined ? {} : { value });
        return { status: 201, json: { ...shown(made), value: made.value } };
      },
    },
    {
      call: `PATCH ${control}/apikeys/:id`,
      who: 'admin',
      json: { patchOperations: 'json[]' },
      answer: (call, vendor) =>
        withKey(call, vendor, (one) => {
          const [first, ...others] = call.json['patchOperations'] as Record<string, string>[];
          const { op, path, value } = first ?? {};
          if (others.length || op !== 'replace' || path !== '/enabled' || value !== 'false') return vendor.description.invalid;
          vendor.disable(one);
          return { status: 200, json: shown(one) };
        }),
    },
    {
      call: `DELETE ${control}/apikeys/:id`,
      who: 'admin',
      answer: (call, vendor) =>
        withKey(call, vendor, (one) => {
          vendor.remove(one);
          return { status: 202 };
        }),
    },
    {
      call: `GET ${control}/usageplans/:plan`,
      who: 'admin',
      answer: ({ params }) =>
        params['plan'] === plan
          ? { status: 200, json: { id: plan, name: 'gold', apiStages: [{ apiId: 'a1b2c3d4e5', stage: 'prod' }] } }
          : failed(404, 'NotFoundException', 'Invalid Usage Plan ID specified'),
    },
    {
      call: `POST ${control}/usageplans/:plan/keys`,
      who: 'admin',
      json: { keyId: 'string', keyType: ['API_KEY'] },
      answer({ json, params }, vendor) {
        const one = vendor.find(String(json['keyId']));
        if (!one || params['plan'] !== plan) return notFound;
        if (plansOf(one).includes(plan)) return conflict;
        plansOf(one).push(plan);
        return { status: 201, json: { id: one.id, type: 'API_KEY', name: one.name, value: one.value } };
      },
    },
    {
      call: `GET ${control}/usageplans/:plan/keys/:id`,
      who: 'admin',
      answer: (call, vendor) =>
        withKey(call, vendor, (one) =>
          plansOf(one).includes(call.params['plan'] ?? '')
            ? { status: 200, json: { id: one.id, type: 'API_KEY', name: one.name, value: one.value } }
            : notFound,
        ),
    },
    {
      call: `GET ${api}/prod/ping`,
      who: 'subject',
      answer({ headers }, vendor) {
        const value = headers['x-api-key'] ?? '';
        const one = vendor.held.find((held) => held.value === value);
        const may = vendor.use(value) && one !== undefined && plansOf(one).includes(plan);
        return may
          ? { status: 200, json: { pong: true }, headers: fromApi }
          : { status: 403, json: { message: 'Forbidden' }, headers: { ...fromApi, 'x-amzn-errortype': 'ForbiddenException' } };
      },
    },
  ],
};
