import type { Session } from './session.ts';

/** One page of an answer. */
interface Page<Row> {
  readonly rows: readonly Row[];
  readonly looked: number;
  readonly next: string | null;
}

/** Everything that a request answers page by page, as it comes; how far it came is drawn meanwhile. */
export async function* everyRow<Row>(session: Session, request: string, filter: object): AsyncIterable<Row> {
  let looked = 0;
  let behind: string | null = null;
  do {
    const page: Page<Row> = await session.door.ask(request, { ...filter, ...(behind === null ? {} : { behind }) });
    looked += page.looked;
    behind = page.next;
    if (behind !== null) session.redraw(`${looked} keys looked at`);
    yield* page.rows;
  } while (behind !== null);
  session.redraw('');
}
