import type { Status } from '../core/show.ts';
import type { Session } from './session.ts';

/** The status of the whole installation, put together from its pages; how far it came is drawn meanwhile. */
export async function wholeStatus(session: Session): Promise<Omit<Status, 'next'>> {
  const { next, ...first } = await session.door.ask<Omit<Status, 'next'> & { readonly next: string | null }>('status', {});
  let whole: Omit<Status, 'next'> = first;
  for (let behind = next; behind !== null; ) {
    session.redraw(`${whole.keys} keys looked at`);
    const { next: after, ...page }: Omit<Status, 'next'> & { readonly next: string | null } = await session.door.ask('status', { behind });
    whole = {
      keys: whole.keys + page.keys,
      byState: sum(whole.byState, page.byState),
      byTier: sum(whole.byTier, page.byTier),
      open: [...whole.open, ...page.open],
      attention: [...whole.attention, ...page.attention],
      escalations: [...whole.escalations, ...page.escalations],
      overdue: [...whole.overdue, ...page.overdue],
    };
    behind = after;
  }
  session.redraw('');
  return whole;
}

function sum(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
