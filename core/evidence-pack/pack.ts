import type { AuthorityRule } from '../authority.ts';
import { policyHash } from '../policy/policy-hash.ts';
import type { Policy } from '../policy.ts';
import type { SealedHeads, Tampering } from '../seal/verify-seals.ts';
import { type KeyRow, keyRow } from './key-row.ts';
import { type DeathRow, deathRows, type RevocationRow, type RotationRow, revocationRows, rotationRows } from './operation-rows.ts';
import {
  type ActRow,
  actRows,
  type BreachRow,
  breachRows,
  type ExceptionRow,
  exceptionRows,
  type ReviewRow,
  reviewRows,
} from './people-rows.ts';
import { type LogChain, type Period, said } from './period.ts';

/** A control of a framework, and the sections that somebody who checks it will want to see. People edit the table. */
export interface Control {
  readonly framework: string;
  readonly id: string;
  readonly asks: string;
  readonly sections: readonly string[];
}

/** What a pack is asked for. Everything else comes from the log. */
export interface PackOrder extends Period {
  readonly stage: string;
  /** Only this unit's keys; null for all of them, and the installation's own journal. */
  readonly unit: string | null;
  readonly madeAt: string;
  readonly policy: Policy;
  readonly controls: readonly Control[];
}

/** Whether the log holds, as it was when the pack was made. */
export interface LogState extends Pick<SealedHeads, 'seals' | 'last'> {
  readonly chains: number;
  readonly entries: number;
  readonly unsealed: number;
  readonly problems: readonly Tampering[];
}

interface AuthorityRow {
  readonly who: string;
  readonly may: string;
  readonly tiers: string;
  readonly needs: string;
}

export interface Pack extends Omit<PackOrder, 'policy'> {
  readonly policy: { readonly hash: string; readonly version: string; readonly inEffectSince: string };
  readonly log: LogState;
  readonly says: string;
  readonly missing: readonly string[];
  readonly inventory: readonly KeyRow[];
  readonly rotations: readonly RotationRow[];
  readonly revocations: readonly RevocationRow[];
  readonly certificates: readonly DeathRow[];
  readonly drills: readonly RevocationRow[];
  readonly exceptions: readonly ExceptionRow[];
  readonly reviews: readonly ReviewRow[];
  readonly breaches: readonly BreachRow[];
  readonly couldAct: readonly AuthorityRow[];
  readonly acted: readonly ActRow[];
}

/** The sections of a pack that are tables, in their order, with their headings. */
export const sections = {
  inventory: 'Keys at the end of the period',
  rotations: 'Rotations that began in the period',
  revocations: 'Revocations that were asked for in the period',
  certificates: 'Versions that were proven dead by a revocation',
  drills: 'Drills',
  exceptions: 'Exceptions',
  reviews: 'Reviews',
  breaches: 'Broken rules',
  couldAct: 'Who could act',
  acted: 'Who did',
} as const satisfies Partial<Record<keyof Pack, string>>;

/** What a pack is, and what it is not (POL-F13). */
const says =
  'This pack says what the log of the installation says, and nothing else. It is no certificate, and it does not claim that a law, a contract or a ' +
  'standard is met: whoever knows what those ask for has to judge that.';

/** The pack of a period, from the log alone; the same log and order give the same pack. */
export function packOf(order: PackOrder, chains: readonly LogChain[], log: LogState): Pack {
  const { policy, ...asked } = order;
  const of = <Row>(rows: (chain: LogChain, period: Period) => Row[]): Row[] => chains.flatMap((chain) => rows(chain, order));
  const inventory = chains.flatMap((chain) => keyRow(chain, order) ?? []);
  const revocations = of(revocationRows);
  const hash = policyHash(policy);
  const pack: Omit<Pack, 'missing'> = {
    ...asked,
    policy: { hash, version: policy.version, inEffectSince: inEffectSince(chains, hash) },
    log,
    says,
    inventory,
    rotations: of(rotationRows),
    revocations: revocations.filter(({ kind }) => kind !== 'drill'),
    certificates: of(deathRows),
    drills: revocations.filter(({ kind }) => kind === 'drill'),
    exceptions: of(exceptionRows),
    reviews: of(reviewRows),
    breaches: of(breachRows),
    couldAct: policy.authority.flatMap(authorityRows),
    acted: actRows(chains, order),
  };
  return { ...pack, missing: missingOf(pack, chains) };
}

const authorityRows = ({ roles, actions, tiers, needs }: AuthorityRule): AuthorityRow[] =>
  roles.map((who) => ({ who, may: actions.join(' '), tiers: tiers.join(' '), needs }));

function inEffectSince(chains: readonly LogChain[], hash: string): string {
  const journal = chains.find(({ chain }) => chain === 'INSTALLATION');
  return journal?.entries.findLast((entry) => entry.event === 'policy.applied' && said(entry, 'policy') === hash)?.at ?? '';
}

/** What somebody would look for and not find: said, so that nobody takes its absence for good news. */
function missingOf(pack: Omit<Pack, 'missing'>, chains: readonly LogChain[]): string[] {
  const { inventory, log, drills, unit, policy } = pack;
  const used = new Set(chains.filter(({ entries }) => entries.some(({ event }) => event === 'version.used')).map(({ chain }) => chain));
  const live = inventory.filter(({ state }) => state !== 'retired' && state !== 'registered');
  const unseen = live.filter(({ key }) => !used.has(`KEY#${key}`)).length;
  const unnamed = inventory.filter(({ provider }) => provider === '').length;
  const count = (rows: readonly { readonly timing: string }[], timing: string) => rows.filter((row) => row.timing === timing).length;
  const lines: readonly (readonly [boolean, string])[] = [
    [log.problems.length > 0, `The log is not as it was written, in ${log.problems.length} places; they are listed.`],
    [log.unsealed > 0, `${log.unsealed} entries came after the last seal: they hold in themselves only.`],
    [log.seals === 0, 'Nothing was sealed: the log cannot show that it was not written anew.'],
    [drills.length === 0, 'No drill of a revocation is on record in this period.'],
    [unseen > 0, `Of ${unseen} of ${live.length} keys no use is on record: their vendors do not tell, or nobody used them.`],
    [unnamed > 0, `${unnamed} keys were registered by a release that did not write everything into the log: their rows are not complete.`],
    [count(pack.reviews, 'missed') > 0, `${count(pack.reviews, 'missed')} reviews were not answered by their date.`],
    [unit !== null, 'The journal of the installation is in no pack of a unit: when policies took effect is in the pack of all.'],
    [unit === null && policy.inEffectSince === '', 'The log does not say since when this policy is in effect.'],
  ];
  return lines.flatMap(([so, line]) => (so ? [line] : []));
}
