import type { Fact, Provider, ProviderTraits } from './ports.ts';

/** One line of a capability sheet. */
export interface Capability {
  readonly what: string;
  readonly says: string;
}

/** What a provider can and cannot do for a key, in words that a person can hold it to. */
export interface CapabilitySheet {
  readonly provider: string;
  readonly title: string;
  readonly pattern: ProviderTraits['pattern'];
  /** How sure its operations are: the weakest of what is known of them. */
  readonly evidence: Fact['is'];
  /** The oldest day on which one of the facts was last looked at. */
  readonly checkedOn: string;
  /** What nobody has documented or observed. */
  readonly unverified: readonly string[];
  readonly capabilities: readonly Capability[];
  /** What Rekey cannot promise here. */
  readonly cannot: readonly string[];
  readonly params: Provider['about']['params'];
  readonly admin: Provider['about']['admin'];
  readonly facts: readonly Fact[];
  readonly docs: readonly string[];
}

/** What a key's owner should know before a key is kept there: a pure reading of the provider's traits and facts. */
export function sheetOf(provider: Omit<Provider, 'create' | 'list' | 'probe' | 'disable' | 'delete' | 'neverIssued'>): CapabilitySheet {
  const { name, traits, about } = provider;
  const sure = new Map<string, Fact['is']>();
  for (const fact of about.facts) for (const subject of fact.about) sure.set(subject, weaker(sure.get(subject), fact.is));
  const operations = [...sure].filter(([subject]) => operationNames.includes(subject));
  return {
    provider: name,
    title: about.title,
    pattern: traits.pattern,
    evidence: operations.map(([, is]) => is).reduce<Fact['is']>(weaker, 'documented'),
    checkedOn: about.facts.map(({ on }) => on).sort()[0] ?? '',
    unverified: [...sure].flatMap(([subject, is]) => (is === 'unverified' ? [subject] : [])),
    capabilities: capabilitiesOf(provider),
    cannot: [...derived(provider), ...about.cannot],
    params: about.params,
    admin: about.admin,
    facts: about.facts,
    docs: about.docs,
  };
}

const operationNames: readonly string[] = ['create', 'list', 'read', 'probe', 'disable', 'delete', 'endByValue', 'lastUsed'];
const byStrength: readonly Fact['is'][] = ['unverified', 'observed', 'documented'];
const weaker = (one: Fact['is'] | undefined, other: Fact['is']): Fact['is'] =>
  one !== undefined && byStrength.indexOf(one) < byStrength.indexOf(other) ? one : other;

type Described = Parameters<typeof sheetOf>[0];

const overlaps: Readonly<Record<ProviderTraits['pattern'], string>> = {
  additive: 'a second key beside the first; the old one lives until every consumer has moved',
  slots: 'a second key in the other slot; the old one lives until every consumer has moved',
  grace: 'the vendor itself ends the old key, at the instant that is named when the new one is made',
  replace: 'none: the new key ends the old one at once',
  revokeOnly: 'none: keys are neither made nor rotated here',
};

const ends: Readonly<Record<ProviderTraits['disable'], string>> = {
  disable: 'disabled first, deleted after the soak; in between a person could turn it on again at the vendor, Rekey never does',
  delete: 'deleted at once; nobody can bring it back',
  none: 'not at all: its keys cannot be revoked by Rekey',
};

const classes: Readonly<Record<ProviderTraits['class'], string>> = {
  A: 'nothing is lost: Rekey makes the value, stores it, and only then has it created',
  B: 'nothing is lost: asked again with the same label the vendor gives the same key',
  C: 'the lost key is recognised by its label and deleted, and another one is made',
};

function capabilitiesOf({ traits, about, lastUsed, endByValue }: Described): Capability[] {
  const { pattern, maxLive, countsDisabled, probe } = traits;
  const guessed = (subject: Fact['about'][number]) =>
    about.facts.some(({ about: subjects, is }) => is === 'unverified' && subjects.includes(subject)) ? ' (unverified)' : '';
  const line = (what: string, says: string): Capability[] => [{ what, says }];
  if (pattern === 'revokeOnly')
    return [
      ...line('overlap', overlaps.revokeOnly),
      ...line('a leaked value', endByValue ? 'is ended by itself, whoever it belongs to, for good' : 'cannot be ended'),
      ...line('proof of death', `${probe.denied} refusals in a row, ${probe.everySeconds} s apart; budget ${traits.revokeSeconds} s`),
    ];
  return [
    ...line('keys at once', `${maxLive}${countsDisabled ? ', disabled ones included' : ', disabled ones not counted'}${guessed('limit')}`),
    ...line('overlap', overlaps[pattern]),
    ...line('end', ends[traits.disable]),
    ...line(
      'whose',
      traits.shared ? 'lists what everybody in the account made; Rekey knows its own by their label' : 'lists the keys of one principal',
    ),
    ...line(
      'a lost answer',
      traits.class === 'C' && !traits.labelled
        ? 'the lost key can be told from a stranger’s only on a principal of Rekey’s own'
        : classes[traits.class],
    ),
    ...line(
      'last used',
      lastUsed
        ? `told, to within ${traits.lastUsedAccuracySeconds ?? 0} s${guessed('lastUsed')}`
        : 'not told: use is unknown, and quiet is no proof',
    ),
    ...line(
      'expiry',
      traits.lifetimeSeconds === null
        ? 'none: a key lives until it is ended'
        : `the vendor ends a key ${traits.lifetimeSeconds / 86_400} days after it was made`,
    ),
    ...line('activation', `budget ${traits.activateSeconds} s, then ${probe.alive} acceptances in a row`),
    ...line('proof of death', `${probe.denied} refusals in a row, ${probe.everySeconds} s apart; budget ${traits.revokeSeconds} s`),
    ...line('a leaked value', leaks(traits, endByValue !== undefined)),
  ];
}

function leaks({ secretPattern, commonShape }: ProviderTraits, endByValue: boolean): string {
  const known =
    secretPattern === undefined
      ? 'is not recognised by its shape'
      : commonShape
        ? 'has a common shape: a hint, and nothing is redacted for it'
        : 'is recognised by its shape, and redacted in logs';
  return endByValue ? `${known}; it can be ended by itself` : known;
}

/** What follows from the traits alone. */
function derived({ traits, about }: Described): string[] {
  const budgets = about.facts.some(({ about: subjects, is }) => is === 'unverified' && subjects.includes('propagation'));
  return [
    ...(budgets
      ? ['say how long the vendor really takes to refuse a dead key: the budgets are guesses, and death is declared by refusals alone']
      : []),
    ...(traits.shared ? ['tell a key that an attacker made in the account from one that a colleague made'] : []),
    ...(traits.pattern === 'replace' ? ['keep services working between the new key and their own refresh'] : []),
  ];
}
