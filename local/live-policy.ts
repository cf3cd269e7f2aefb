import { existsSync, readFileSync } from 'node:fs';
import { replaceFile } from '../adapters/replace-file.ts';
import { Refused } from '../core/errors.ts';
import type { RefusedPolicy } from '../core/installation.ts';
import { defaultPolicy } from '../core/policy/default-policy.ts';
import type { Policy } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';
import { readPolicy } from '../requests/policy-document.ts';

type PolicyRefusal = Omit<RefusedPolicy, 'since'>;

/** The policy of this machine: that of the file as it was when it was last good. */
export interface LivePolicy {
  current(): Policy;
  /** Why the file as it is now does not count; null while it does. */
  refusal(): PolicyRefusal | null;
  /** Reads the file again where it changed. Afterwards a good one is in force and kept as the last good one; a bad one has changed nothing. Returns whether anything is different now. */
  look(): Promise<boolean>;
}

/**
 * The policy of `file`, or of the copy that was kept of its last good edition, or the one that ships. A file that is bad and of which no good
 * edition is known throws what `readPolicy` throws: nothing runs by a policy that nobody wrote.
 */
export function livePolicy({
  file,
  lastGood,
  settings,
}: {
  readonly file: string | undefined;
  readonly lastGood: string;
  readonly settings: Settings;
}): LivePolicy {
  let text: string | undefined;
  let policy: Policy = defaultPolicy;
  let refusal: PolicyRefusal | null = null;
  const given = textOf(file);
  if (file !== undefined && given !== undefined) {
    text = given;
    try {
      policy = readPolicy(given, file, settings);
    } catch (error) {
      const kept = textOf(lastGood);
      if (!(error instanceof Refused) || kept === undefined) throw error;
      policy = readPolicy(kept, lastGood, settings);
      refusal = refusalOf(file, error);
    }
  }
  return {
    current: () => policy,
    refusal: () => refusal,
    async look() {
      const now = textOf(file);
      if (file === undefined || now === undefined) return false;
      const changed = now !== text;
      if (changed) {
        text = now;
        try {
          policy = readPolicy(now, file, settings);
          refusal = null;
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          refusal = refusalOf(file, error);
        }
      }
      if (!refusal && textOf(lastGood) !== now) await replaceFile(lastGood, now);
      return changed;
    },
  };
}

const refusalOf = (file: string, { message, problems }: Refused): PolicyRefusal => ({ file, message, problems });

/** The file's text; undefined when there is none. A file that is taken away changes nothing: the policy that was good stays. */
function textOf(file: string | undefined): string | undefined {
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
