/** A stop of the next rotation until an instant; never of a revocation. */
export interface Hold {
  readonly reason: string;
  readonly by: string;
  readonly since: string;
  readonly until: string;
}

/** Why a person should look: machine-readable reason (a heading of the runbook) and a sentence. */
export interface Attention {
  readonly reason: string;
  readonly message: string;
  readonly since: string;
}

/** A rotation that is due whatever the schedule says: a word for the cause (`departure`), a sentence, and since when. */
export interface DueNow {
  readonly cause: string;
  readonly message: string;
  readonly at: string;
}
