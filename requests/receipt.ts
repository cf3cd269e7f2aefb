import * as z from 'zod/mini';
import type { Receipt } from '../core/adoption.ts';
import { keyId } from './fields.ts';
import { accept } from './problems.ts';

/** The body of POST /receipts. */
export const receipt = z.strictObject({
  keyId: keyId(),
  operationId: z.string().check(z.regex(/^(rotate|revoke)-[a-z2-7]{26}$/, 'must be the id of an operation')),
  version: z.int().check(z.minimum(1), z.maximum(1e9)),
  outcome: z.enum(['heard', 'moved', 'failed']),
  noticeId: z.exactOptional(z.string().check(z.regex(/^[0-9a-f]{32}$/, 'must be the id of a notice'))),
  nonce: z.exactOptional(z.string().check(z.regex(/^[0-9a-f]{32}$/, 'must be the challenge of the notice'))),
  proof: z.exactOptional(z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'))),
  message: z.exactOptional(z.string().check(z.maxLength(1000), z.regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must be without control characters'))),
});

/** The receipt in a body of POST /receipts. Throws Refused E_INPUT_INVALID for fields that are missing, unknown or malformed. */
export function receiptOf(input: unknown): Receipt {
  return accept(receipt, input, 'the receipt');
}
