import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, entries, folderOf } from '../../infra/bundle.ts';
import { doors } from '../../infra/doors.ts';
import { readInstallation } from '../../infra/installation.ts';
import { steps } from '../../workflows/steps.ts';

const KiB = 1024;

/**
 * The most that a bundle may have, in KiB, by what it carries: the sweep and the steps that touch no provider stay small;
 * one SDK client is 20 to 30, API Gateway's 40, Parameter Store's 75.
 */
const budget = (entry: string): number => {
  if (entry === 'functions/sweep.ts') return 290;
  const may: readonly string[] = [...steps, ...doors].find((row) => row.entry === entry)!.may;
  const providers = may.some((right) => right.startsWith('provider.'));
  const destinations = may.some((right) => right.startsWith('destinations.'));
  // One door carries every request, others only what responders ask for or senders report; the reconciler repairs whatever there is.
  const own =
    { 'functions/operate.ts': 160, 'functions/intake.ts': 30, 'functions/report.ts': 10, 'functions/reconcile.ts': 30 }[entry] ?? 0;
  return 350 + (providers ? 140 : 0) + (destinations ? 90 : 0) + own;
};

/** Which right brings which package into a bundle. Without the right, the code is not there either. */
const brings: readonly (readonly [RegExp, string])[] = [
  [/^provider\./, '@aws-sdk/client-api-gateway'],
  [/^provider\./, '@aws-sdk/client-iam'],
  [/^destinations\./, '@aws-sdk/client-ssm'],
  [/^executions\./, '@aws-sdk/client-sfn'],
  [/^notices\./, '@aws-sdk/client-sns'],
  [/^(secrets|provider|destinations|fingerprints|channels)\./, '@aws-sdk/client-secrets-manager'],
];

const out = mkdtempSync(join(tmpdir(), 'rekey-bundle-test-'));
let outputs: Readonly<Record<string, { readonly bytes: number; readonly inputs: object }>>;

beforeAll(async () => {
  const made = await bundle(out, readInstallation('test'));
  outputs = Object.fromEntries(Object.values(made.outputs).map((output) => [output.entryPoint ?? '', output]));
});

afterAll(() => rmSync(out, { recursive: true }));

describe.each(entries)('the bundle of %s', (entry) => {
  test('is one file beside the installation', () => {
    expect(readdirSync(folderOf(out, entry)).sort()).toEqual(['index.js', 'installation.json']);
  });

  test('loads under Node without any environment and exports a handler', () => {
    const load = createRequire(import.meta.url);
    expect(typeof load(join(folderOf(out, entry), 'index.js')).handler).toBe('function');
  });

  test('stays within its budget', () => {
    expect(Math.round(outputs[entry]!.bytes / KiB)).toBeLessThanOrEqual(budget(entry));
  });

  test('holds the client of a service exactly if its row has a right there', () => {
    const { may } = [...steps, ...doors].find((row) => row.entry === entry)!;
    const held = brings
      .map(([, name]) => name)
      .filter((name) => Object.keys(outputs[entry]!.inputs).some((path) => path.includes(`/${name}/`)));
    const expected = brings.filter(([right]) => may.some((one) => right.test(one))).map(([, name]) => name);
    expect(held).toEqual(expected);
  });

  test('makes fingerprints exactly if its row has the right to their pepper', () => {
    const { may } = [...steps, ...doors].find((row) => row.entry === entry)!;
    const makes = Object.keys(outputs[entry]!.inputs).includes('adapters/fingerprint.ts');
    expect(makes).toBe((may as readonly string[]).includes('fingerprints.make'));
  });

  test('holds neither a YAML parser nor the search for credentials that Lambda does not need', () => {
    const inputs = Object.keys(outputs[entry]!.inputs).join('\n');
    expect(inputs).not.toMatch(/node_modules\/(yaml|@aws-sdk\/credential-provider-(node|sso|ini|process))\//);
  });
});
