import type { Evidence, Invariant } from './invariants/invariant.ts';
import { invariants } from './invariants/registry.ts';
import type { Landed, Oracle } from './oracle.ts';

/** An invariant that did not hold, when, and what was seen. */
export interface Breach {
  readonly invariant: string;
  readonly sentence: string;
  readonly at: number;
  readonly seen: string;
}

export interface Judge {
  readonly breaches: readonly Breach[];
  /** How many times an invariant was looked at. */
  readonly checks: number;
  wrote(landed: Landed): void;
  look(): void;
  end(evidence: Evidence): void;
}

const onWrite = invariants.filter((one) => one.onWrite);
const onLook = invariants.filter((one) => one.onLook);
const atEnd = invariants.filter((one) => one.atEnd);

/** Looks at every invariant whenever it is told to, and remembers the first breach of each. */
export function judgeOf(oracle: Oracle): Judge {
  const breaches: Breach[] = [];
  let checks = 0;
  const note = ({ id, sentence }: Invariant, seen: readonly string[]) => {
    checks += 1;
    const [first] = seen;
    if (first === undefined || breaches.some(({ invariant }) => invariant === id)) return;
    breaches.push({ invariant: id, sentence, at: Date.now(), seen: first });
    oracle.lines.push(`${new Date(Date.now()).toISOString().slice(11, 23)} BROKEN ${id}: ${first}`);
  };
  return {
    breaches,
    get checks() {
      return checks;
    },
    wrote(landed) {
      for (const one of onWrite) note(one, one.onWrite!(landed, oracle));
    },
    look() {
      for (const one of onLook) note(one, one.onLook!(oracle, Date.now()));
    },
    end(evidence) {
      for (const one of atEnd) note(one, one.atEnd!(evidence));
    },
  };
}
