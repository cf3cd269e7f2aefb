import { fileURLToPath } from 'node:url';
import specification from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isProof, proofOf } from '../../core/challenge.ts';
import { getKey } from '../../core/items.ts';
import { toCloudEvent } from '../../core/notice.ts';
import { noticeContract } from '../../core/notice-contract.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { Value } from '../../core/value.ts';
import { receiptOf } from '../../requests/receipt.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';
import { documents, filterPolicies, noticeOf, schemaOf, types, vectors } from './documents.ts';

const folder = fileURLToPath(new URL('../../docs/events/', import.meta.url));
const ajv = new Ajv2020({ strict: true, allErrors: true });
(formats as unknown as (ajv: unknown) => void)(ajv);
const validators = Object.fromEntries(types.map((type) => [type, ajv.compile(schemaOf(type))]));

/** What is wrong with an event by the schema of its own type. */
function faults(event: Readonly<Record<string, unknown>>): unknown {
  const type = String(event['type']).replace(/^dev\.rekey\.(.*)\.v1$/, '$1');
  const validate = validators[type];
  if (!validate) return `there is no type ${type}`;
  return validate(event) ? null : validate.errors;
}

describe('docs/events', () => {
  test.each(Object.entries(documents()))('%s is what the definitions say', async (path, text) => {
    await expect(text).toMatchFileSnapshot(`${folder}${path}`);
  });

  test('has an AsyncAPI document that the specification accepts', () => {
    const accepts = new Ajv({ strict: false, allErrors: true, logger: false })
      .addFormat('uri', true)
      .addFormat('uri-reference', true)
      .addFormat('email', true)
      .compile(specification);
    const document: unknown = parse(documents()['asyncapi.yaml'] ?? '');
    expect([accepts(document), accepts.errors?.slice(0, 3) ?? null]).toEqual([true, null]);
    expect(accepts({ ...(document as object), asyncapi: '2' })).toBe(false);
  });

  test('has an example of each type that its schema accepts, and a field too many or too few is seen', () => {
    for (const type of types) {
      const example = toCloudEvent(noticeOf(type), 'prod') as { data: Record<string, unknown> };
      expect([type, faults(example as never)]).toEqual([type, null]);
      expect(faults({ ...example, data: { ...example.data, value: 'x' } })).not.toBeNull();
      for (const field of noticeContract[type].always) {
        const { [field]: _gone, ...rest } = example.data;
        expect([type, field, faults({ ...example, data: rest })]).not.toEqual([type, field, null]);
      }
    }
  });
});

describe('POL-U5: what the product publishes', () => {
  let w: World;
  afterEach(() => end(w));

  test('is what the contract says, in a rotation, one that is taken back, one that nobody answers, and a revocation', async () => {
    w = world();
    const silent: string[] = [];
    const keyId = await adopted(w);
    services(w, testFacts(), { silent });
    await beginsRotation(w, keyId, 'one');
    await untilIdle(w, keyId);
    await passInflight(w);
    await beginsRotation(w, keyId, 'two');
    await untilStep(w, keyId, 'confirm');
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'anna');
    await untilIdle(w, keyId);
    await passInflight(w);
    silent.push('batch');
    await beginsRotation(w, keyId, 'three');
    await w.until(async () => (await getKey(w.ports, keyId)).attention?.reason === 'ConsumersNotConfirmed');
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(w.notices.map((notice) => faults(toCloudEvent(notice, 'prod'))).filter(Boolean)).toEqual([]);
    const seen = new Set(w.notices.map(({ type }) => type));
    for (const type of [
      'issued',
      'retired',
      'restored',
      'overlap.ending',
      'receipt.missing',
      'rotation.failed',
      'revoked',
      'contained',
      'reissued',
    ])
      expect(seen).toContain(`key.${type}`);
  });
});

describe('the filter policies', () => {
  type Pattern = string | { readonly prefix: string };
  const attributesOf = (notice: ReturnType<typeof noticeOf>): Record<string, string> => ({
    type: `dev.rekey.${notice.type}.v1`,
    key: notice.keyId,
    tier: notice.tier,
    environment: notice.environment,
    severity: notice.severity,
    audience: notice.audience,
  });
  const fits = (policy: object, attributes: Record<string, string>): boolean =>
    Object.entries(policy as Record<string, readonly Pattern[]>).every(([name, patterns]) =>
      patterns.some((one) => (typeof one === 'string' ? one === attributes[name] : attributes[name]?.startsWith(one.prefix))),
    );

  test('are within the limits of SNS: at most five names and 150 combinations', () => {
    for (const { policy } of Object.values(filterPolicies)) {
      const lists = Object.values(policy) as unknown as readonly unknown[][];
      expect(lists.length).toBeLessThanOrEqual(5);
      expect(lists.reduce((all, list) => all * list.length, 1)).toBeLessThanOrEqual(150);
    }
  });

  test('each lets something of its topic through, and a service’s never somebody else’s', () => {
    for (const [name, { policy }] of Object.entries(filterPolicies)) {
      const all = types.flatMap((type) => [noticeOf(type), { ...noticeOf(type), audience: '*' }, { ...noticeOf(type), audience: 'batch' }]);
      const through = all.filter((notice) => fits(policy, attributesOf(notice)));
      expect([name, through.length > 0]).toEqual([name, true]);
      expect(through.filter(({ audience }) => audience === 'batch')).toEqual([]);
    }
  });
});

describe('the vectors of the receipt protocol', () => {
  const { proofs, refused, receipts } = vectors() as {
    proofs: { value: string; operationId: string; consumer: string; nonce: string; text: string; proof: string }[];
    refused: { why: string; value: string; operationId: string; consumer: string; nonce: string; proof: string }[];
    receipts: object[];
  };

  test('are what the product accepts and refuses', () => {
    for (const { value, operationId, consumer, nonce, proof } of proofs) {
      expect(isProof(proof, new Value(value), operationId, consumer, nonce)).toBe(true);
      expect(proofOf(new Value(value), operationId, consumer, nonce)).toBe(proof);
    }
    for (const { why, value, operationId, consumer, nonce, proof } of refused)
      expect([why, isProof(proof, new Value(value), operationId, consumer, nonce)]).toEqual([why, false]);
    expect(new Set(proofs.map(({ proof }) => proof)).size).toBe(proofs.length);
  });

  test('are receipts that the door takes', () => {
    for (const one of receipts) expect(receiptOf(one)).toEqual(one);
    expect(() => receiptOf({ ...receipts[1], consumer: 'checkout' })).toThrow(/receipt/);
  });
});
