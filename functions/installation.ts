import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Spec } from '../adapters/providers/spec.ts';
import type { Policy } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';

/** The file beside a function's code that infra wrote and checked when it bundled the function. */
export const installationFile = 'installation.json';

/** What this deployment was made with. */
export interface Installation {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly specs: readonly Spec[];
  /** `host:port` of providers that may have an address of the organisation's own network. */
  readonly privateHosts: readonly string[];
  /** Certificates (PEM) that are trusted at those hosts beside the public roots. */
  readonly authorities?: string;
  /** Keys of API Gateway too. Only when asked for: whoever may list them may read every one of the region. */
  readonly apiGateway: boolean;
}

/** Reads the installation once per execution environment. */
export function deployedInstallation(): Installation {
  return JSON.parse(readFileSync(join(import.meta.dirname, installationFile), 'utf8')) as Installation;
}
