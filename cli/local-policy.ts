import { existsSync } from 'node:fs';
import type { Policy } from '../core/policy.ts';
import { productionSettings } from '../core/settings.ts';
import { readPolicy } from '../requests/policy-document.ts';
import { textOf } from './key-files.ts';

/**
 * The policy file of the folder one stands in, so that its rules show with line and column before anything is sent. Undefined when there is
 * none: the installation checks every row against its own policy in any case. Throws Refused for a file that is no policy.
 */
export function localPolicy(): Policy | undefined {
  return existsSync('policy.yaml') ? readPolicy(textOf('policy.yaml'), 'policy.yaml', productionSettings) : undefined;
}
