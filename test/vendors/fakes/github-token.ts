import { bearer, type Description, type Reply, random } from '../engine.ts';

const failed = (status: number, message: string, headers = {}): Reply => ({
  status,
  json: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
  headers,
});

/** From docs.github.com/rest/credentials/revoke: unauthenticated only, at most 1000 values, 202 whatever becomes of them. */
export const githubToken: Description = {
  provider: 'github-token',
  docs: ['https://docs.github.com/rest/credentials/revoke'],
  admin: {},
  params: {},
  isAdmin: () => false,
  presents: bearer,
  mint: () => `ghp_${random(36)}`,
  id: () => random(12),
  limit: null,
  refusal: failed(401, 'Requires authentication'),
  slowDown: failed(429, 'too many requests', { 'retry-after': '7' }),
  broken: failed(500, 'Server Error'),
  invalid: failed(422, 'Validation Failed'),
  routes: [
    {
      call: 'POST api.github.com/credentials/revoke',
      who: 'anybody',
      json: { credentials: 'string[]' },
      answer(call, vendor) {
        if (bearer(call) !== undefined) return failed(403, 'This endpoint does not accept authentication');
        for (const value of call.json['credentials'] as string[]) {
          const found = vendor.held.find((one) => one.value === value);
          if (found) vendor.remove(found);
        }
        return { status: 202 };
      },
    },
    {
      call: 'GET api.github.com/user',
      who: 'subject',
      answer: (call, vendor) =>
        vendor.use(bearer(call) ?? '') ? { status: 200, json: { login: 'octocat', id: 1, type: 'User' } } : failed(401, 'Bad credentials'),
    },
  ],
};
