import { basic, type Description, type Held, hex, type Reply, random } from '../engine.ts';

const accountSid = `AC${random(32, hex)}`;
const authToken = random(32, hex);
const failed = (status: number, code: number, message: string, headers = {}): Reply => ({
  status,
  json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
  headers,
});
const missing = failed(404, 20404, 'The requested resource was not found');
const shown = ({ id, name, createdAt }: Held) => ({
  sid: id,
  friendly_name: name,
  date_created: new Date(createdAt).toUTCString().replace('GMT', '+0000'),
  date_updated: new Date(createdAt).toUTCString().replace('GMT', '+0000'),
});

/** From twilio_iam_v1 and twilio_verify_v2 of github.com/twilio/twilio-oai. */
export const twilioApiKey: Description = {
  provider: 'twilio-api-key',
  docs: ['https://www.twilio.com/docs/iam/api-keys'],
  admin: { username: accountSid, password: authToken },
  params: { accountSid, keyType: 'restricted', policy: { allow: ['/twilio/verify/services/list'] } },
  isAdmin: (call) => basic(call) === `${accountSid}:${authToken}`,
  presents: basic,
  mint: () => `SK${random(32, hex)}:${random(32)}`,
  id: (value) => value.split(':')[0] ?? '',
  limit: null,
  refusal: failed(401, 20003, 'Authenticate'),
  slowDown: failed(429, 20429, 'Too Many Requests', { 'retry-after': '7' }),
  broken: failed(500, 20500, 'Internal Server Error'),
  invalid: failed(400, 20001, 'Bad request'),
  routes: [
    {
      call: 'POST iam.twilio.com/v1/Keys',
      who: 'admin',
      form: {
        AccountSid: /^AC[0-9a-fA-F]{32}$/,
        'FriendlyName?': 'string(64)',
        'KeyType?': ['restricted'],
        'Policy?': /^\{"allow":\[.*\]\}$/,
      },
      answer({ form }, vendor) {
        const made = vendor.create(form['FriendlyName'] ?? '');
        return { status: 201, json: { ...shown(made), secret: made.value.split(':')[1], policy: JSON.parse(form['Policy'] ?? 'null') } };
      },
    },
    {
      call: 'GET iam.twilio.com/v1/Keys',
      who: 'admin',
      query: { AccountSid: /^AC[0-9a-fA-F]{32}$/, 'PageSize?': /^([1-9]\d{0,2}|1000)$/, 'Page?': /^\d+$/, 'PageToken?': 'string' },
      answer({ query }, vendor) {
        // However large a page is asked for, this vendor gives three: a list that is not followed is not complete.
        const [page, size, all] = [Number(query.get('Page') ?? 0), 3, vendor.present()];
        const next = (page + 1) * size < all.length;
        const url = (number: number) => `https://iam.twilio.com/v1/Keys?AccountSid=${accountSid}&PageSize=${size}&Page=${number}`;
        const meta = {
          page,
          page_size: size,
          first_page_url: url(0),
          previous_page_url: null,
          url: url(page),
          next_page_url: next ? url(page + 1) : null,
          key: 'keys',
        };
        return {
          status: 200,
          json: { keys: all.slice(page * size, (page + 1) * size).map((one) => ({ ...shown(one), flags: ['rest_api'] })), meta },
        };
      },
    },
    {
      call: 'DELETE iam.twilio.com/v1/Keys/:sid',
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['sid']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 204 };
      },
    },
    {
      call: 'GET verify.twilio.com/v2/Services',
      who: 'subject',
      query: { 'PageSize?': /^\d+$/, 'Page?': /^\d+$/, 'PageToken?': 'string', 'FriendlyName?': 'string' },
      answer: (call, vendor) =>
        vendor.use(basic(call) ?? '')
          ? { status: 200, json: { services: [], meta: { page: 0, page_size: 1, key: 'services', next_page_url: null } } }
          : failed(401, 20003, 'Authenticate'),
    },
  ],
};
