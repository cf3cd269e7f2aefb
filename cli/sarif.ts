import type { Check } from '../core/policy/checks.ts';
import type { KeyFinding } from '../core/policy/findings-of-all.ts';
import about from './package.json' with { type: 'json' };

const levels: Readonly<Record<Check['severity'], string>> = { breach: 'error', warning: 'warning', note: 'note' };

/** Findings as SARIF 2.1.0, which code scanning and security dashboards read: one rule for each check, one result for each finding, located at the key by name. */
export function sarifOf(findings: readonly KeyFinding[], checks: readonly Pick<Check, 'rule' | 'severity' | 'sentence'>[]): object {
  const named = new Map(checks.map((check) => [check.rule, check]));
  const rules = [...new Set([...named.keys(), ...findings.map(({ rule }) => rule)])].map((rule) => ({
    id: rule,
    shortDescription: { text: named.get(rule)?.sentence ?? rule },
    defaultConfiguration: { level: levels[named.get(rule)?.severity ?? 'warning'] },
  }));
  const results = findings.map(({ rule, severity, message, keyId, owner, since, unit }) => ({
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: `${keyId ?? 'the installation'}: ${message}` },
    locations: [{ logicalLocations: [{ fullyQualifiedName: keyId ?? 'installation', kind: 'resource' }] }],
    // The same finding keeps its identity from run to run.
    partialFingerprints: { 'rekey/v1': `${keyId ?? ''}|${rule}|${since}` },
    properties: { owner, since, unit },
  }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'Rekey', semanticVersion: about.version, rules } }, results }],
  };
}
