import type { KeyReport } from '../core/show.ts';
import type { Session } from './session.ts';

/** The dry run of a small change: looks at the key, says what would be done to it, and does nothing. Throws what `key.show` throws. */
export async function intend(session: Session, keyId: string, would: readonly string[]): Promise<number> {
  const { state, operation } = await session.door.ask<KeyReport>('key.show', { keyId });
  session.result({ keyId, dryRun: true, state, operation, would }, () =>
    [
      `${keyId} is ${state}${operation ? `, at step ${operation.step} of ${operation.id}` : ''}. This would:`,
      ...would.map((line) => `  ${line}`),
      'Nothing was changed.',
    ].join('\n'),
  );
  return 0;
}
