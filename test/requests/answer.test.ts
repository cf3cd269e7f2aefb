import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RefusalCode, Refused } from '../../core/errors.ts';
import { findKey, listVersions } from '../../core/items.ts';
import { answer } from '../../requests/answer.ts';
import { parseBody } from '../../requests/body.ts';
import { httpStatus } from '../../requests/http-status.ts';
import type { Caller } from '../../requests/request.ts';
import { requests } from '../../requests/requests.ts';
import { adopted, consumerNamed, testFacts, type World, world } from '../support/world.ts';

const caller: Caller = { actor: 'ada', via: 'operate' };
const secret = ['ghp', 'q7RkZ2mV9xTbW4nYc8LpD3hJ5sFg1a'].join('_');

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

const ask = (name: string, input: unknown, by: Caller = caller) => answer(w.ports, name, input, by);

/** The refusal as one text: its code, its message, and every problem with its path. */
async function refusal(name: string, input: unknown, by?: Caller): Promise<string> {
  return asText(await ask(name, input, by).catch((error: unknown) => error));
}

function asText(error: unknown): string {
  if (!(error instanceof Refused)) return `not refused: ${String(error)}`;
  return [`${error.code}: ${error.message}`, ...error.problems.map(({ path, message }) => `${path} ${message}`)].join('\n');
}

function bodyRefusal(text: string): string {
  try {
    parseBody(text);
  } catch (error) {
    return asText(error);
  }
  return 'accepted';
}

describe('every request', () => {
  test.each(Object.keys(requests))('row 26: %s refuses a field that it does not know, and names it', async (name) => {
    expect(await refusal(name, { surprise: 1 })).toMatch(/^E_INPUT_INVALID[\s\S]*surprise is not a known field/);
  });

  test.each(Object.keys(requests))('row 27: %s refuses what is no map of fields', async (name) => {
    for (const input of [null, 'text', 7, []]) expect(await refusal(name, input)).toMatch(/^E_INPUT_INVALID/);
  });

  test('row 26: missing fields are named by their paths', async () => {
    expect(await refusal('rotate', {})).toMatch(/keyId is missing\nreason is missing/);
    const { owner: _owner, ...facts } = testFacts();
    expect(await refusal('key.register', { facts })).toContain('facts.owner is missing');
  });

  test('row 27: wrong types and numbers that JSON cannot carry are refused', async () => {
    await adopted(w);
    const scope = (of: unknown) => refusal('revoke', { keyId: 'payments/stripe', scope: of });
    for (const of of ['1', ['1'], [1.5], [0], [], [Number.NaN], [-0], [Number.POSITIVE_INFINITY]])
      expect(await scope(of)).toMatch(/^E_INPUT_INVALID/);
    expect(bodyRefusal('{"scope":[1e309]}')).toMatch(/^E_INPUT_INVALID/);
    expect((await listVersions(w.ports, 'payments/stripe'))[0]?.compromised).toBe(false);
  });

  test('row 34: who asks is who signed: a claimed actor is refused', async () => {
    expect(await refusal('key.live', { keyId: 'a', actor: 'root' })).toContain('actor is not a known field');
  });

  test('a name that is not in the table is refused, also one that every object has', async () => {
    for (const name of ['key.delete', 'constructor', '__proto__', 'toString']) expect(await refusal(name, {})).toMatch(/^E_NOT_FOUND/);
  });

  test('the responders’ door takes what contains a leak, and nothing else', async () => {
    const responder: Caller = { actor: 'grace', via: 'intake' };
    const taken = Object.keys(requests).filter((name) => requests[name]?.door === 'intake');
    expect(taken).toContain('revoke');
    expect(new Set(taken.map((name) => requests[name]?.action))).toEqual(new Set(['revoke', 'reissue', 'plan', 'approve']));
    for (const name of Object.keys(requests).filter((one) => !taken.includes(one)))
      expect(await refusal(name, {}, responder)).toMatch(/^E_FORBIDDEN/);
    const keyId = await adopted(w);
    expect(await ask('revoke', { keyId }, responder)).toMatchObject({ versions: [{ number: 1, firstDisable: 'disabled' }] });
  });
});

describe('a body', () => {
  test('row 28: deep, wide, repeated and oversized JSON is refused without being worked through', () => {
    expect(bodyRefusal(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toMatch(/^E_INPUT_INVALID.*deeper/);
    expect(bodyRefusal(JSON.stringify(Array(30_000).fill(1)))).toMatch(/^E_INPUT_INVALID.*more than/);
    expect(bodyRefusal(`{"a":"${'x'.repeat(256 * 1024)}"}`)).toMatch(/^E_TOO_LARGE/);
    expect(bodyRefusal('{"keyId":"a","keyId":"b"}')).toMatch(/^E_INPUT_INVALID.*given twice/);
    expect(bodyRefusal('{"a":{"b":1,"\\u0062":2}}')).toMatch(/^E_INPUT_INVALID.*given twice/);
    expect(bodyRefusal('{"a":{"b":1},"c":{"b":"b: { [ \\" b"},"d":["b","b"]}')).toBe('accepted');
  });

  test('row 29: names that reach a prototype are refused, at every depth, and nothing is changed by them', async () => {
    for (const text of ['{"__proto__":{"x":1}}', '{"a":[{"constructor":{"prototype":{"x":1}}}]}', '{"prototype":1}']) {
      expect(bodyRefusal(text)).toMatch(/^E_INPUT_INVALID/);
      expect(await refusal('status', JSON.parse(text))).toMatch(/^E_INPUT_INVALID/);
    }
    expect(Reflect.get({}, 'x')).toBeUndefined();
  });

  test('that is no JSON is not repeated', () => {
    expect(bodyRefusal(`{"leaked": ${secret}`)).toBe('E_INPUT_INVALID: the body is not JSON');
  });

  test('every refusal has its HTTP status', () => {
    const codes: RefusalCode[] = [
      'E_INPUT_INVALID',
      'E_CREDENTIALS',
      'E_FORBIDDEN',
      'E_NOT_FOUND',
      'E_BUSY',
      'E_TOO_LARGE',
      'E_UNREACHABLE',
    ];
    expect(codes.map((code) => httpStatus[code])).toEqual([400, 401, 403, 404, 409, 413, 503]);
  });
});

describe('what could hold a value', () => {
  test.each([
    ['rotate', { keyId: 'a', reason: `leaked ${secret}` }, 'reason'],
    ['key.register', { facts: { ...testFacts(), purpose: secret } }, 'facts.purpose'],
    ['key.register', { facts: { ...testFacts(), params: { deep: [{ note: secret }] } } }, 'facts.params.deep.0.note'],
    ['key.register', { facts: { ...testFacts(), readers: ['ok', 'q7RkZ2mV9xTbW4nYc8LpD3hJ'] } }, 'facts.readers.1'],
    ['key.adopt', { keyId: 'a', token: crypto.randomUUID(), credentialId: secret }, 'credentialId'],
    ['hold', { keyId: 'a', reason: secret, until: '2030-01-01T00:00:00Z' }, 'reason'],
  ])('POL-F9, row 45: %s refuses a value in a field, naming the field and not the value', async (name, input, path) => {
    const said = await refusal(name, input);
    expect(said).toMatch(/^E_SECRET_IN_INPUT/);
    expect(said).toContain(`\n${path} looks like`);
    expect(said).not.toContain(secret.slice(4));
    expect(await findKey(w.ports, testFacts().id)).toBeUndefined();
  });

  test('POL-F9: a leaked string finds its version, and is in no answer and no item of the inventory', async () => {
    const keyId = await adopted(w);
    const { value } = w.provider.stranger();
    expect(await ask('revoke.find', { leaked: value.reveal() })).toMatchObject({ match: null });
    const [version] = await listVersions(w.ports, keyId);
    const current = await w.ports.secrets.read(keyId, version?.token ?? '');
    const leaked = current?.reveal() ?? '';
    const found = await ask('revoke.find', { leaked }, { actor: 'grace', via: 'intake' });
    expect(found).toMatchObject({ match: { keyId, version: 1, role: 'current' } });
    expect(
      JSON.stringify([found, await ask('key.show', { keyId }), await ask('key.history', { keyId }), await ask('key.explain', { keyId })]),
    ).not.toContain(leaked);
  });

  test('vendors’ own ids are not taken for values', async () => {
    const params = { account: 'acct_1NabcdefGHIJKLM0', principal: 'svcQ7RkZ2mV9xTbW4nYc8LpD3hJ' };
    expect(await ask('key.register', { facts: testFacts({ params }) })).toMatchObject({ outcome: 'created' });
  });
});

describe('what the policy knows', () => {
  test('POL-W3, POL-P2, POL-U6: a store that the policy does not approve is refused, and nothing is stored', async () => {
    expect(await refusal('key.register', { facts: testFacts({ store: 'spreadsheet' }) })).toMatch(
      /^E_INPUT_INVALID[\s\S]*store is not a store that the policy approves: rekey/,
    );
    expect(await findKey(w.ports, testFacts().id)).toBeUndefined();
  });

  test('POL-W2, POL-P1: facts without an owner are refused', async () => {
    expect(await refusal('key.register', { facts: testFacts({ owner: '' }) })).toMatch(/facts.owner is empty/);
  });

  test('row 39: a consumer that needs more overlap than its tier allows is named', async () => {
    const slow = { ...consumerNamed('nightly'), refreshSeconds: 400 };
    expect(await refusal('key.register', { facts: testFacts({ consumers: [slow] }) })).toMatch(/nightly needs an overlap of 800 s/);
  });

  test('row 46: a destination of another environment is refused', async () => {
    const destinations = [{ id: 'api', kind: 'memory', at: 'api', environment: 'production' }];
    expect(await refusal('key.register', { facts: testFacts({ destinations }) })).toMatch(
      /is production, but the key's environment is staging/,
    );
  });

  test('a dry run checks the same and stores nothing', async () => {
    expect(await ask('key.register', { facts: testFacts(), dryRun: true })).toEqual({ keyId: 'payments/stripe', tier: 'medium' });
    expect(await findKey(w.ports, 'payments/stripe')).toBeUndefined();
  });

  test('row 22: a hold without an end, or of more than 14 days, is refused', async () => {
    const keyId = await adopted(w);
    const until = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    expect(await refusal('hold', { keyId, reason: 'sale' })).toMatch(/until is missing/);
    expect(await refusal('hold', { keyId, reason: 'sale', until: until(15) })).toMatch(/^E_INPUT_INVALID/);
    expect(await ask('hold', { keyId, reason: 'sale', until: until(13) })).toMatchObject({ keyId });
  });
});

describe('keys', () => {
  test('row 10: an unknown key is refused with the keys that are spelled nearest', async () => {
    await adopted(w);
    expect(await refusal('rotate', { keyId: 'payments/strip', reason: 'x' })).toMatch(/^E_NOT_FOUND[\s\S]*did you mean payments\/stripe\?/);
  });

  test('row 11: the same request id is the same rotation, another one is told who is at it', async () => {
    const keyId = await adopted(w);
    const first = await ask('rotate', { keyId, reason: 'x', requestId: 'request-1' });
    expect(await ask('rotate', { keyId, reason: 'x', requestId: 'request-1' })).toEqual({ ...(first as object), started: false });
    expect(await refusal('rotate', { keyId, reason: 'x', requestId: 'request-2' })).toMatch(/^E_BUSY.*begun by ada/);
  });

  test('row 12, row 14: a revocation takes the key from a rotation at once, and no rotation takes it back', async () => {
    const keyId = await adopted(w);
    await ask('rotate', { keyId, reason: 'x' });
    expect(await ask('revoke', { keyId })).toMatchObject({ alreadyDead: false, versions: [{ number: 1, firstDisable: 'disabled' }] });
    expect(await refusal('rotate', { keyId, reason: 'x' })).toMatch(/^E_REVOKED/);
    expect(await refusal('rollback', { keyId, reason: 'x' })).toMatch(/^E_REVOKED/);
  });

  test('row 15, row 18: revoking needs no reason, and twice is once', async () => {
    const keyId = await adopted(w);
    const first = (await ask('revoke', { keyId, reason: '', requestId: 'request-1' })) as { operationId: string };
    expect(await ask('revoke', { keyId, requestId: 'request-1' })).toMatchObject({ operationId: first.operationId });
    expect(await ask('revoke', { keyId })).toMatchObject({ operationId: first.operationId });
    const requested = (await findKey(w.ports, keyId))?.revocation?.requests.map(({ reason }) => reason);
    // The second report meets a revocation that covers it already: on record, and nothing begins again.
    expect(requested).toEqual(['not said yet']);
    expect(await ask('key.history', { keyId })).toContainEqual(expect.objectContaining({ event: 'revocation.joined' }));
  });

  test('row 21: a version number is no confirmation', async () => {
    const keyId = await adopted(w);
    expect(await refusal('confirm', { keyId, version: 2 })).toMatch(/^E_PROOF_REQUIRED/);
    expect(await refusal('confirm', { keyId })).toMatch(/^E_PROOF_REQUIRED/);
  });

  test('row 32: a request without an id gets one', async () => {
    const keyId = await adopted(w);
    await ask('revoke', { keyId });
    expect((await findKey(w.ports, keyId))?.revocation?.requests[0]?.requestId).toMatch(/^[0-9a-f]{32}$/);
  });
});
