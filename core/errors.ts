/**
 * Every error that Rekey names. The `name` of a workflow error is API: it is the `ErrorEquals` string in
 * workflows/*.asl.json and a heading in docs/runbook.md; test/house checks that the three sets agree.
 * Messages carry ids and numbers, never a value and never a vendor's response body.
 */
export abstract class RekeyError extends Error {
  abstract override readonly name: string;
}

/** A newer attempt of the same step acquired the key; this one wrote nothing. Try again. */
export class Fenced extends RekeyError {
  override readonly name = 'Fenced';
}

/** A revocation, or a newer execution of the same operation, took the key. This execution ends and undoes nothing. */
export class Superseded extends RekeyError {
  override readonly name = 'Superseded';
}

/** A probe has not yet been answered as required, often enough in a row. Probe again. */
export class ProbeAgain extends RekeyError {
  override readonly name = 'ProbeAgain';
}

/** The step did a part of its work and recorded it; the next attempt goes on from there. */
export class Unfinished extends RekeyError {
  override readonly name = 'Unfinished';
}

/** A version that was disabled is still accepted by its provider. Disabled again; not contained. */
export class StillAccepted extends RekeyError {
  override readonly name = 'StillAccepted';
}

/** The new version was refused, or the provider accepts anything: the rotation cannot be verified. */
export class VerificationFailed extends RekeyError {
  override readonly name = 'VerificationFailed';
}

/** The provider did not answer, answered 5xx, or asked us to slow down. Whether the call took effect is unknown. */
export class ProviderUnavailable extends RekeyError {
  override readonly name = 'ProviderUnavailable';
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The provider refused for good: bad parameters, or our admin credential lacks the right. The call took no effect. */
export class ProviderRefused extends RekeyError {
  override readonly name = 'ProviderRefused';
}

/** The provider's limit of credentials is reached and none of them is a dead version of ours. */
export class NoFreeSlot extends RekeyError {
  override readonly name = 'NoFreeSlot';
}

/** The provider lists a credential that we did not make and that blocks the operation. It is never touched. */
export class UnattributedCredential extends RekeyError {
  override readonly name = 'UnattributedCredential';
}

/** A destination or the secret store did not answer. Writing again is safe. */
export class DestinationUnavailable extends RekeyError {
  override readonly name = 'DestinationUnavailable';
}

/** A destination refused for good, belongs to another environment, or reads back something else than was written. */
export class DestinationRefused extends RekeyError {
  override readonly name = 'DestinationRefused';
}

/** A label of the secret store was moved by somebody else: our compare-and-swap lost. */
export class StoreConflict extends RekeyError {
  override readonly name = 'StoreConflict';
}

/** Not every consumer has proved that it is back on the old version. Ask again. */
export class ConsumersNotBack extends RekeyError {
  override readonly name = 'ConsumersNotBack';
}

/** The operation is rolling back: its forward steps end, and the rollback goes on from its record. */
export class RollingBack extends RekeyError {
  override readonly name = 'RollingBack';
}

/** The policy rolls back a rotation whose consumers did not all move before the tier's cap. */
export class AdoptionTimedOut extends RekeyError {
  override readonly name = 'AdoptionTimedOut';
}

/** The old version may already be disabled: the operation can only go forward. */
export class PastPointOfNoReturn extends RekeyError {
  override readonly name = 'PastPointOfNoReturn';
}

/** A move that the tables in key.ts and version.ts do not have. */
export class IllegalMove extends RekeyError {
  override readonly name = 'IllegalMove';
}

/** The inventory did not answer, or too many writers met on one key. Nothing was written, or the same write can be found. */
export class InventoryUnavailable extends RekeyError {
  override readonly name = 'InventoryUnavailable';
}

/** A newer release wrote the inventory: this one would read it wrongly and damage it. Nothing was read or written. */
export class SchemaTooNew extends RekeyError {
  override readonly name = 'SchemaTooNew';
}

/** The table is a copy from a backup: until its keys were re-asserted, only what moves toward dead is written. */
export class TableRestored extends RekeyError {
  override readonly name = 'TableRestored';
}

/** The inventory's own answer when a condition of a write does not hold: `index` is the write's place in the transaction. */
export class ConditionFailed extends RekeyError {
  override readonly name = 'ConditionFailed';
  readonly index: number;

  constructor(index: number) {
    super(`the condition of write ${index} does not hold`);
    this.index = index;
  }
}

/** What a person or program did wrong, by stable code, with the exit code of the command line (0 ok … 8 needs a human). */
export const refusals = {
  E_USAGE: 2,
  E_INPUT_EMPTY: 2,
  E_INPUT_INVALID: 2,
  E_TOO_LARGE: 2,
  E_MEDIA_TYPE: 2,
  E_SECRET_IN_INPUT: 2,
  E_NOT_FOUND: 3,
  E_FORBIDDEN: 4,
  E_CREDENTIALS: 4,
  E_WRONG_ACCOUNT: 4,
  E_EXISTS: 5,
  E_REQUEST_REUSED: 5,
  E_BUSY: 5,
  E_TOO_SOON: 5,
  E_REVOKED: 5,
  E_HELD: 5,
  E_OBSERVE_ONLY: 5,
  E_MANAGED: 5,
  E_UNMAPPED: 8,
  E_PAST_POINT_OF_NO_RETURN: 5,
  E_NOTHING_TO_DO: 5,
  E_NOT_A_CANARY: 5,
  E_READ_ONLY: 5,
  E_SCHEMA_TOO_NEW: 5,
  E_PROOF_REQUIRED: 2,
  E_PROOF_INVALID: 6,
  E_NOT_ACCEPTED: 6,
  E_UNREACHABLE: 1,
} as const;

export type RefusalCode = keyof typeof refusals;

/** One row of a bad input: where it is wrong and what to do. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** A request that was refused before its first effect: a stable code, the field's path, and what to do. */
export class Refused extends RekeyError {
  override readonly name = 'Refused';
  readonly code: RefusalCode;
  readonly problems: readonly Problem[];

  constructor(code: RefusalCode, message: string, problems: readonly Problem[] = []) {
    super(message);
    this.code = code;
    this.problems = problems;
  }
}
