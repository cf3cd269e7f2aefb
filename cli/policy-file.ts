import { readFileSync } from 'node:fs';
import { Refused } from '../core/errors.ts';
import { defaultPolicy } from '../core/policy/default-policy.ts';
import type { Policy } from '../core/policy.ts';
import { productionSettings, type Settings } from '../core/settings.ts';
import { readPolicy } from '../requests/policy-document.ts';

/** What a policy file is checked against where no installation is asked: production's durations, for any stage. */
const settingsFor = (text: string): Settings => ({
  ...productionSettings,
  stage: /^stage: *['"]?([a-z][a-z0-9-]*)/m.exec(text)?.[1] ?? 'prod',
});

/** The policy of a file, or the one that ships with Rekey. Throws Refused E_USAGE for a file that cannot be read, and what `readPolicy` throws. */
export function policyFrom(file: string | undefined): Policy {
  if (file === undefined) return defaultPolicy;
  const text = textOf(file);
  return readPolicy(text, file, settingsFor(text));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
