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

/** Somebody decided under their own name that a key goes for good. */
export interface Offboarding {
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** What the vendor told about the use of a key, by any of its versions. */
export interface Use {
  /** The last use that was not Rekey's own; null while none was seen. */
  readonly at: string | null;
  /** How exact the vendor is, in seconds. */
  readonly accuracySeconds: number;
  readonly askedAt: string;
}
