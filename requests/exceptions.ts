import * as z from 'zod/mini';
import { approveException, declineException, requestException } from '../core/exceptions/request.ts';
import { keyId, name, text } from './fields.ts';
import { type Request, reason, request } from './request.ts';

const exceptionId = z.string().check(z.regex(/^exception-[a-z2-7]{20}$/, 'must be the id of an exception'));

/** Rules that one key need not keep for a while: rows of THE TABLE in requests.ts. */
export const exceptions: Readonly<Record<string, Request>> = {
  'exception.request': request(
    'except',
    z.strictObject({
      keyId: keyId(),
      rule: name(),
      reason,
      compensating: text(500),
      until: z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' }),
    }),
    requestException,
  ),
  'exception.approve': request('approve', z.strictObject({ keyId: keyId(), exceptionId }), approveException),
  'exception.decline': request('approve', z.strictObject({ keyId: keyId(), exceptionId, reason }), declineException),
};
