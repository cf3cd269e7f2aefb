import type { Receipt } from '../core/adoption.ts';
import { type Problem, Refused } from '../core/errors.ts';
import { keyIdPattern } from '../requests/key-id.ts';

const patterns: Readonly<Record<keyof Receipt, RegExp>> = {
  keyId: keyIdPattern,
  operationId: /^(rotate|revoke)-[a-z2-7]{26}$/,
  version: /^[1-9]\d{0,8}$/,
  outcome: /^(heard|moved|failed)$/,
  nonce: /^[0-9a-f]{32}$/,
  proof: /^[0-9a-f]{64}$/,
  message: /^[^\p{Cc}]{0,1000}$/u,
};

const required: readonly (keyof Receipt)[] = ['keyId', 'operationId', 'version', 'outcome'];

/** The receipt that was posted to /receipts. Throws Refused E_NOT_FOUND for another path, E_INPUT_INVALID for fields that are missing, unknown or malformed. */
export function receiptOf(path: string, input: unknown): Receipt {
  if (path !== 'receipts') throw new Refused('E_NOT_FOUND', 'receipts are posted to /receipts');
  const given = new Map(Object.entries(typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {}));
  const problems: Problem[] = required.filter((name) => !given.has(name)).map((name) => ({ path: name, message: 'is missing' }));
  for (const [name, value] of given) {
    const pattern = Object.hasOwn(patterns, name) ? patterns[name as keyof Receipt] : undefined;
    const type = name === 'version' ? 'number' : 'string';
    if (!pattern) problems.push({ path: name.slice(0, 64), message: 'is no field of a receipt' });
    else if (typeof value !== type || !pattern.test(String(value))) problems.push({ path: name, message: 'is malformed' });
  }
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'the body is not a receipt', problems);
  return Object.fromEntries(given) as unknown as Receipt;
}
