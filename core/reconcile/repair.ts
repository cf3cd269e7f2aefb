import type { Attempt } from '../attempt.ts';
import type { Key } from '../key.ts';
import type { Credential, Ports } from '../ports.ts';
import type { Version } from '../version.ts';

/** What is known of an idle key when repairs are planned. Nothing was written yet. */
export interface Findings {
  readonly ports: Ports;
  readonly key: Key;
  readonly versions: readonly Version[];
  readonly listed: readonly Credential[];
  readonly now: string;
}

/** One repair, carried out under the key's fence; returns what was done. */
export type Repair = (attempt: Attempt) => Promise<string>;
