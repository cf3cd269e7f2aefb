import type { Claim, Pair } from './claims.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import type { tellHistories } from './telling.ts';

/** What the acts share. */
export interface Scene {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly tell: ReturnType<typeof tellHistories>;
  /** Prints claims and remembers which did not hold. */
  check(keyId: string, claims: readonly Claim[]): void;
  /** A version of a key and the vendor's id of it. */
  version(keyId: string, number: number): Promise<Pair['from']>;
  /** Adds to what the table at the end says about a key. */
  happened(keyId: string, what: string): void;
}
