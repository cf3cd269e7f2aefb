import type { Problem } from './errors.ts';
import type { KeyFacts } from './key.ts';
import type { Policy } from './policy.ts';
import type { Provider } from './ports.ts';
import { shownName } from './secret-detector.ts';
import { tierOf } from './tier.ts';

/** Why a key cannot be kept at a provider as its facts say: what the vendor cannot do, and what to write instead. Empty when it can. */
export function providerProblems(
  { name, traits, about }: Pick<Provider, 'name' | 'traits' | 'about'>,
  facts: KeyFacts,
  policy: Policy,
): Problem[] {
  if (traits.pattern === 'revokeOnly') {
    const message = `${name} neither creates nor lists its keys: only a leaked value can be ended there, with rekey revoke --leaked`;
    return [{ path: 'provider', message }];
  }
  if (facts.managedBy) return [...paramProblems(name, about.params, facts), ...managedProblems(name, traits, facts)];
  return [
    ...paramProblems(name, about.params, facts),
    ...principalProblems(name, traits, facts, policy),
    ...lifetimeProblems(name, traits, facts, policy),
    ...gapProblems(name, traits, facts),
  ];
}

type Traits = Provider['traits'];

/** A provider that says which parameters it takes gets those and no others. */
function paramProblems(name: string, known: Provider['about']['params'], { params }: KeyFacts): Problem[] {
  const names = Object.keys(known);
  if (names.length === 0) return [];
  return [
    ...names.flatMap((param) =>
      known[param]?.needed && !Object.hasOwn(params, param)
        ? [{ path: `params.${param}`, message: `${name} needs it: ${known[param]?.description}` }]
        : [],
    ),
    ...Object.keys(params).flatMap((param) =>
      names.includes(param)
        ? []
        : [{ path: `params.${shownName(param)}`, message: `${name} does not take it; it takes ${names.join(', ')}` }],
    ),
  ];
}

/** Whether Rekey can tell its own credentials from others', and what it may take for its own. */
function principalProblems(name: string, traits: Traits, facts: KeyFacts, policy: Policy): Problem[] {
  const refuse = (message: string): Problem[] => [{ path: 'exclusive', message }];
  if (traits.shared && facts.exclusive)
    return refuse(`${name} lists the credentials of everybody in the account: they cannot all be Rekey's to end (exclusive: false)`);
  // One credential at a time: there is nothing to tell apart.
  if (facts.exclusive || traits.pattern === 'grace' || traits.pattern === 'replace') return [];
  if (traits.keepsOne)
    return refuse(
      `${name} always keeps one credential alive, so that Rekey has to make stand-ins: the principal must belong to it alone (exclusive: true)`,
    );
  if (!traits.labelled && tierOf(facts, policy).tier !== 'low')
    return refuse('the provider has no names for credentials: the principal must belong to Rekey alone (exclusive: true)');
  return [];
}

/** AWS makes the versions and writes them to one place; Rekey only follows, tells and revokes. */
function managedProblems(name: string, { keepsOne }: Traits, { destinations, exclusive }: KeyFacts): Problem[] {
  const [spec, ...others] = destinations;
  return [
    ...(spec?.kind === 'secrets-manager' && others.length === 0
      ? []
      : [{ path: 'destinations', message: 'name the one secret that AWS rotates, of kind secrets-manager, and nothing else' }]),
    ...(exclusive ? [{ path: 'exclusive', message: 'AWS makes credentials there as well: they are not all Rekey’s to end' }] : []),
    ...(keepsOne
      ? [{ path: 'provider', message: `${name} always keeps one credential alive: Rekey would have to make one to revoke` }]
      : []),
  ];
}

/** No overlap: every rotation takes its consumers down until they have moved, and cannot be rolled back. Somebody has to say that this is acceptable, and why. */
function gapProblems(name: string, { pattern }: Traits, { acceptsGap }: KeyFacts): Problem[] {
  if (pattern !== 'replace' || acceptsGap) return [];
  const message = `${name} ends the old version the moment a new one is created, and nothing works until each consumer has moved: write why that is acceptable`;
  return [{ path: 'acceptsGap', message }];
}

/** A version must outlive the schedule, or the vendor ends it before its successor is there. */
function lifetimeProblems(name: string, { lifetimeSeconds }: Traits, facts: KeyFacts, policy: Policy): Problem[] {
  const { rotateEverySeconds, overlapMaxSeconds } = policy.tiers[tierOf(facts, policy).tier];
  if (lifetimeSeconds === null || rotateEverySeconds + overlapMaxSeconds <= lifetimeSeconds) return [];
  const message = `${name} ends a version after ${lifetimeSeconds} s, and the tier rotates every ${rotateEverySeconds} s with an overlap of up to ${overlapMaxSeconds} s`;
  return [{ path: 'provider', message }];
}
