import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintWith } from '../../adapters/fingerprint.ts';
import { memoryDestination } from '../../adapters/memory/destination.ts';
import { memoryInventory } from '../../adapters/memory/inventory.ts';
import { memoryPager } from '../../adapters/memory/pager.ts';
import { type MemoryProvider, memoryProvider } from '../../adapters/memory/provider.ts';
import { memorySeals } from '../../adapters/memory/seals.ts';
import { memorySecretStore } from '../../adapters/memory/secret-store.ts';
import { Refused } from '../../core/errors.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Policy } from '../../core/policy.ts';
import type { Clock, Ports, Provider, Subject, WorkflowName } from '../../core/ports.ts';
import type { Settings } from '../../core/settings.ts';
import { steps } from '../../workflows/steps.ts';
import { localExecutions } from '../executions.ts';
import { rehearsedConsumers } from './consumers.ts';

/** The composition root of a rehearsal: every port in memory, under whatever clock and timers the process has. */
export function composeRehearsal(
  keys: readonly KeyFacts[],
  policy: Policy,
  settings: Settings,
): { readonly ports: Ports; readonly stop: () => void } {
  const clock = { now: () => Date.now() };
  const destinations = new Map(keys.flatMap((key) => key.destinations).map(({ kind }) => [kind, memoryDestination(kind)]));
  let serial = 0;
  const randomId = () => (serial++).toString(16).padStart(32, '0');
  const executions = localExecutions({
    steps,
    definitions: { rotate: definition('rotate'), revoke: definition('revoke') },
    functionSeconds: settings.functionSeconds,
    randomId,
    run: (step, payload, attemptId) => step.run(ports, payload, attemptId),
  });
  const ports: Ports = {
    inventory: memoryInventory(),
    secrets: memorySecretStore(),
    provider: vendors(keys, clock),
    providers: () => [...new Set(keys.map(({ provider }) => provider))],
    destination(kind) {
      const found = destinations.get(kind);
      if (!found) throw new Refused('E_NOT_FOUND', `no destination is called ${kind}`);
      return found;
    },
    notifier: rehearsedConsumers(keys, () => ports),
    pager: memoryPager(),
    executions,
    seals: memorySeals(),
    clock,
    randomId,
    fingerprint: fingerprintWith(async () => Buffer.alloc(32, 1)),
    log: { info() {}, warn() {}, error() {}, measure() {} },
    settings,
    policy,
  };
  return { ports, stop: () => void executions.stop() };
}

/** Vendors in memory, one behind every key: as many slots and the same limits for each, whatever the vendor is called. */
function vendors(keys: readonly KeyFacts[], clock: Clock): (name: string) => Provider {
  const byKey = new Map(keys.map(({ id, provider }, index) => [id, memoryProvider({ name: provider, clock, series: `${index}-` })]));
  const of = (keyId: string): MemoryProvider => {
    const found = byKey.get(keyId);
    if (!found) throw new Refused('E_NOT_FOUND', `no key is called ${keyId}`);
    return found;
  };
  const named = new Map([...byKey.values()].map((vendor) => [vendor.name, routed(vendor, of)]));
  return (name) => {
    const found = named.get(name);
    if (!found) throw new Refused('E_NOT_FOUND', `no provider is called ${name}`);
    return found;
  };
}

/** One vendor as the ports know it: what is asked about a key goes to the vendor behind that key. */
function routed(like: MemoryProvider, of: (keyId: string) => MemoryProvider): Provider {
  const { name, traits, about } = like;
  return {
    name,
    traits,
    about,
    neverIssued: (random) => like.neverIssued(random),
    create: (subject: Subject, label) => of(subject.keyId).create(subject, label),
    list: (subject) => of(subject.keyId).list(subject),
    probe: (subject, value) => of(subject.keyId).probe(subject, value),
    disable: (subject, credentialId) => of(subject.keyId).disable(subject, credentialId),
    delete: (subject, credentialId) => of(subject.keyId).delete(subject, credentialId),
    lastUsed: async (subject, credentialId) => of(subject.keyId).lastUsed?.(subject, credentialId),
  };
}

function definition(name: WorkflowName): object {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'workflows', `${name}.asl.json`), 'utf8'));
}
