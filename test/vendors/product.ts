import { getKey, listVersions } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Provider } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import type { Value } from '../../core/value.ts';
import { untilIdle } from '../support/operations.ts';
import { services, testFacts, type World, world } from '../support/world.ts';
import { type Description, type Held, openVendor, type Vendor } from './engine.ts';
import { providerInside } from './provider-of.ts';

/** The whole product in virtual time, with one shipped provider and its vendor in place of the vendor in memory. */
export interface Scene {
  readonly w: World;
  readonly vendor: Vendor;
  readonly provider: Provider;
  readonly keyId: string;
  readonly facts: KeyFacts;
  /** What other people made, which stands in every list first. */
  readonly strangers: readonly Held[];
  /** The uses of a value that a consumer was refused. */
  readonly refused: readonly unknown[];
  /** Each version's number with whether the vendor accepts its value now, and its state on record. */
  versions(): Promise<{ number: number; state: string; accepted: boolean }[]>;
}

/** A key of this vendor, minted and in use by two services. */
export async function stage(description: Description, options: { readonly delaySeconds?: number } = {}): Promise<Scene> {
  const vendor = openVendor(description);
  const provider = providerInside(vendor);
  const w = world({
    wrap: (ports) => ({ ...ports, provider: () => provider, providers: () => [provider.name] }),
  });
  // What the environment had before Rekey came, or what other people made.
  const hands = provider.traits.pattern === 'grace' ? 1 : description.alone ? 0 : 2;
  const strangers = Array.from({ length: hands }, () => vendor.byHand());
  const { shared, keepsOne, labelled } = provider.traits;
  const facts = testFacts({
    id: 'team/key',
    provider: provider.name,
    params: description.params,
    exclusive: !shared && (keepsOne || !labelled),
  });
  await registerKey(w.ports, facts, 'owner');
  await beginRotation(w.ports, { keyId: facts.id, reason: 'first version', trigger: 'first' }, 'owner');
  await untilIdle(w, facts.id);
  const { refused } = services({ ...w, provider: { use: (value: Value) => vendor.use(kept(vendor, value)) } as never }, facts, options);
  await w.pass(30);
  return {
    w,
    vendor,
    provider,
    keyId: facts.id,
    facts,
    strangers,
    refused,
    async versions() {
      const versions = await listVersions(w.ports, facts.id);
      return Promise.all(
        versions.map(async ({ number, state, token }) => {
          const value = token ? await w.ports.secrets.read(facts.id, token) : undefined;
          return { number, state, accepted: value !== undefined && isAccepted(vendor, kept(vendor, value)) };
        }),
      );
    },
  };
}

/** A value as the vendor has it. */
const kept = ({ description }: Vendor, value: Value): string => description.keeps?.(value.reveal()) ?? value.reveal();

/** Whether the vendor would accept a value now; asking is no use of it. */
function isAccepted(vendor: Vendor, value: string): boolean {
  const found = vendor.held.find((one) => one.value === value);
  return found !== undefined && Date.now() >= found.acceptedFrom && Date.now() < found.refusedFrom;
}

/** What the vendor accepts besides what other people made. */
export function alive({ vendor, strangers }: Scene): string[] {
  return vendor.held.filter((one) => !strangers.includes(one) && isAccepted(vendor, one.value)).map(({ id }) => id);
}

/** The key's state, its version in use, and why a person should look. */
export async function stands({ w, keyId }: Scene) {
  const { state, current, attention } = await getKey(w.ports, keyId);
  return { state, current, attention: attention?.reason ?? null };
}
