import type { AuditEntry } from '../audit.ts';
import { groupOfEvent } from './event-groups.ts';
import { isIn, keyOfChain, type LogChain, type Period, said } from './period.ts';

/** An exception that was asked for, waited or counted in the period. */
export interface ExceptionRow {
  readonly key: string;
  readonly rule: string;
  readonly reason: string;
  readonly instead: string;
  readonly askedBy: string;
  readonly asked: string;
  readonly decision: 'approved' | 'declined' | 'none';
  readonly decidedBy: string;
  readonly until: string;
  readonly ended: string;
}

/** A review that was open, or was answered, in the period. */
export interface ReviewRow {
  readonly about: string;
  readonly kind: string;
  readonly cause: string;
  readonly opened: string;
  readonly due: string;
  readonly answered: string;
  readonly answer: string;
  readonly by: string;
  readonly timing: 'in time' | 'late' | 'open' | 'missed';
}

/** A rule that was broken at some time of the period. */
export interface BreachRow {
  readonly key: string;
  readonly rule: string;
  readonly message: string;
  readonly since: string;
  readonly recorded: string;
  readonly ended: string;
}

/** What somebody did in the period, how often. */
export interface ActRow {
  readonly who: string;
  readonly group: string;
  readonly event: string;
  readonly times: number;
}

const named = (chain: string): string => keyOfChain(chain) ?? '(installation)';

/** The exceptions of a key that were asked for, waited or counted in the period. */
export function exceptionRows({ chain, entries }: LogChain, period: Period): ExceptionRow[] {
  const until = entries.filter(({ at }) => at < period.to);
  return until.flatMap((entry): ExceptionRow[] => {
    if (entry.event !== 'exception.asked') return [];
    const later = until.filter(
      (one) => one.event.startsWith('exception.') && said(one, 'exception') === said(entry, 'exception') && one.seq >= entry.seq,
    );
    const decision = later.find(({ event }) => event === 'exception.approved' || event === 'exception.declined');
    const ended = later.find(({ event }) => event === 'exception.ended');
    const over = decision?.event === 'exception.declined' ? decision : ended;
    if (over && over.at < period.from) return [];
    return [
      {
        ...{ key: named(chain), rule: said(entry, 'rule'), reason: said(entry, 'reason'), instead: said(entry, 'compensating') },
        ...{ askedBy: entry.actor, asked: entry.at, decidedBy: decision?.actor ?? '', until: said(entry, 'until'), ended: ended?.at ?? '' },
        decision: decision ? (decision.event === 'exception.approved' ? 'approved' : 'declined') : 'none',
      },
    ];
  });
}

/** The reviews of a chain that were open in the period, or answered in it. */
export function reviewRows({ entries }: LogChain, period: Period): ReviewRow[] {
  const until = entries.filter(({ at }) => at < period.to);
  return until.flatMap((entry): ReviewRow[] => {
    if (entry.event !== 'review.opened') return [];
    const of = (event: string) => until.find((one) => one.event === event && said(one, 'review') === said(entry, 'review'));
    const answered = of('review.answered');
    if (answered && answered.at < period.from) return [];
    const due = said(entry, 'due');
    const timing = answered ? (answered.at > due ? 'late' : 'in time') : due < period.to ? 'missed' : 'open';
    return [
      {
        ...{ about: said(entry, 'subject'), kind: said(entry, 'kind'), cause: said(entry, 'cause'), opened: entry.at, due },
        ...{ answered: answered?.at ?? '', answer: answered ? said(answered, 'answer') : '', by: answered?.actor ?? '', timing },
      },
    ];
  });
}

/** The breaches of a chain that stood at some time of the period. */
export function breachRows({ chain, entries }: LogChain, period: Period): BreachRow[] {
  const until = entries.filter(({ at }) => at < period.to);
  return until.flatMap((entry, i): BreachRow[] => {
    if (entry.event !== 'breach.opened') return [];
    const same = (one: AuditEntry) => said(one, 'rule') === said(entry, 'rule') && said(one, 'of') === said(entry, 'of');
    const ended = until.slice(i).find((one) => one.event === 'breach.closed' && same(one));
    if (ended && ended.at < period.from) return [];
    const { at } = entry;
    return [
      {
        key: named(chain),
        rule: said(entry, 'rule'),
        message: said(entry, 'message'),
        since: said(entry, 'since'),
        recorded: at,
        ended: ended?.at ?? '',
      },
    ];
  });
}

/** Rekey's own parts, and services: everybody else is a person or a program that somebody answers for. */
const isOwn = (actor: string): boolean => /^(step:|consumer:|schedule$|reconciler$|request$)/.test(actor);

/** What each person did, over all chains. */
export function actRows(chains: readonly LogChain[], period: Period): ActRow[] {
  const times = new Map<string, ActRow>();
  for (const { entries } of chains) {
    for (const { actor, event, at } of entries) {
      if (isOwn(actor) || !isIn(period, at)) continue;
      const name = `${actor}\n${event}`;
      const known = times.get(name)?.times ?? 0;
      times.set(name, { who: actor, group: groupOfEvent(event) ?? '', event, times: known + 1 });
    }
  }
  return [...times.values()].sort((a, b) => (`${a.who} ${a.event}` < `${b.who} ${b.event}` ? -1 : 1));
}
