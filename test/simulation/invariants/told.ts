import type { Notice } from '../../../core/notice.ts';
import type { Invariant } from './invariant.ts';

/** What must be told of each event, and whether each consumer hears it or only everybody who watches. */
const toldOf: Readonly<Record<string, { readonly types: readonly Notice['type'][]; readonly each: boolean }>> = {
  'version.distributed': { types: ['key.issued', 'key.reissued'], each: true },
  'rotation.restored': { types: ['key.restored'], each: true },
  'revocation.disabled': { types: ['key.revoked'], each: true },
  'revocation.contained': { types: ['key.contained'], each: false },
  'revocation.closed': { types: ['key.reissued'], each: false },
};

/** INV-25 */
const everyNoticeArrives: Invariant = {
  id: 'INV-25',
  sentence: 'whatever is on record as happened was told to everybody whom it concerns, and every notice that was committed is published',
  atEnd: ({ oracle }) => {
    const arrived = new Set(oracle.published.map(({ id }) => id));
    const told = new Set(oracle.published.map(({ type, operationId, audience }) => `${type} ${operationId} ${audience}`));
    return [...oracle.keys.values()].flatMap(({ committedNotices, audit, facts }) => [
      ...[...committedNotices].filter((id) => !arrived.has(id)).map((id) => `notice ${id} was never sent`),
      ...audit.flatMap(({ event, detail }) => {
        const wanted = toldOf[event];
        const audiences = wanted?.each ? ['*', ...facts.consumers.map(({ name }) => name)] : ['*'];
        const unheard = (audience: string) => !wanted?.types.some((type) => told.has(`${type} ${detail['operation']} ${audience}`));
        return wanted ? audiences.filter(unheard).map((audience) => `${event} was not told to ${audience}`) : [];
      }),
    ]);
  },
};

/** INV-26: one operation may tell one recipient the same thing again after a restart, and not much more often. */
const mostAlike = 6;

const noFlood: Invariant = {
  id: 'INV-26',
  sentence: 'one operation never floods a recipient with notices of one kind',
  atEnd: ({ oracle }) => {
    const counts = new Map<string, number>();
    const seen = new Set<string>();
    for (const { id, operationId, audience, type } of oracle.published) {
      if (seen.has(id) || !operationId) continue;
      seen.add(id);
      const what = `${type} of ${operationId} to ${audience}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    return [...counts].filter(([, count]) => count > mostAlike).map(([what, count]) => `${count} × ${what}`);
  },
};

/** Who hears of what, and how often. */
export const hearing: readonly Invariant[] = [everyNoticeArrives, noFlood];
