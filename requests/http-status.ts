import type { RefusalCode } from '../core/errors.ts';

/** HTTP status of every refusal: 4xx by whose fault it is; 409 where the request was fine and the key's state was not. */
export const httpStatus: Readonly<Record<RefusalCode, number>> = {
  E_USAGE: 400,
  E_INPUT_EMPTY: 400,
  E_INPUT_INVALID: 400,
  E_SECRET_IN_INPUT: 400,
  E_PROOF_REQUIRED: 400,
  E_CREDENTIALS: 401,
  E_FORBIDDEN: 403,
  E_WRONG_ACCOUNT: 403,
  E_NOT_FOUND: 404,
  E_EXISTS: 409,
  E_BUSY: 409,
  E_TOO_SOON: 409,
  E_REVOKED: 409,
  E_HELD: 409,
  E_OBSERVE_ONLY: 409,
  E_UNMAPPED: 409,
  E_PAST_POINT_OF_NO_RETURN: 409,
  E_NOTHING_TO_DO: 409,
  E_READ_ONLY: 409,
  E_SCHEMA_TOO_NEW: 409,
  E_TOO_LARGE: 413,
  E_PROOF_INVALID: 422,
  E_NOT_ACCEPTED: 422,
  E_UNREACHABLE: 503,
};
