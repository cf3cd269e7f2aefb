import { type MemoryProvider, memoryProvider } from '../../adapters/memory/provider.ts';
import { adoptVersion } from '../../core/adopt.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Provider, Subject } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { testFacts, type World, type WorldOptions, world } from './world.ts';

/** Many keys at one vendor, each on a principal of its own. */
export interface Fleet {
  readonly w: World;
  readonly ids: readonly string[];
  /** The vendor as one key's principal sees it. */
  vendor(keyId: string): MemoryProvider;
  /** Every call that changes something at the vendor, in order. */
  readonly calls: readonly { readonly at: number; readonly call: 'disable' | 'create'; readonly keyId: string }[];
}

/** Registers and adopts `count` keys. `facts` makes those of one. */
export async function fleet(
  count: number,
  options: WorldOptions & { readonly facts?: (i: number) => Partial<KeyFacts>; readonly callsPerSecond?: number } = {},
): Promise<Fleet> {
  const vendors = new Map<string, MemoryProvider>();
  const calls: { at: number; call: 'disable' | 'create'; keyId: string }[] = [];
  const of = (keyId: string) => vendors.get(keyId) as MemoryProvider;
  const clock = { now: () => Date.now() };
  const like = memoryProvider({ clock });
  const routed = (name: string): Provider => ({
    name,
    about: like.about,
    traits: { ...like.traits, ...(options.callsPerSecond === undefined ? {} : { callsPerSecond: options.callsPerSecond }) },
    neverIssued: (random) => like.neverIssued(random),
    create: (subject: Subject, label, minting) => {
      calls.push({ at: clock.now(), call: 'create', keyId: subject.keyId });
      return of(subject.keyId).create(subject, label, minting);
    },
    list: (subject) => of(subject.keyId).list(subject),
    probe: (subject, value) => of(subject.keyId).probe(subject, value),
    disable: (subject, credentialId) => {
      calls.push({ at: clock.now(), call: 'disable', keyId: subject.keyId });
      return of(subject.keyId).disable(subject, credentialId);
    },
    delete: (subject, credentialId) => of(subject.keyId).delete(subject, credentialId),
  });
  const { wrap = (ports) => ports } = options;
  const w = world({ ...options, wrap: (ports) => wrap({ ...ports, provider: routed }) });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const facts = testFacts({
      id: `fleet/key-${String(i).padStart(5, '0')}`,
      params: { principal: String(i) },
      consumers: [],
      destinations: [{ id: 'app', kind: 'memory', at: `app-${i}`, environment: 'staging' }],
      ...options.facts?.(i),
    });
    vendors.set(facts.id, memoryProvider({ clock, series: `${i}-` }));
    await registerKey(w.ports, facts, 'test');
    const { credentialId, value } = of(facts.id).stranger();
    const token = `00000000-0000-8000-a000-${String(i).padStart(12, '0')}`;
    await w.ports.secrets.put(facts.id, token, value);
    for (const spec of facts.destinations) await w.ports.destination(spec.kind).write(spec, value, token);
    await adoptVersion(w.ports, { keyId: facts.id, token, credentialId }, 'test');
    ids.push(facts.id);
  }
  calls.length = 0;
  return { w, ids, vendor: of, calls };
}
