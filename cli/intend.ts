import type { KeyReport } from '../core/show.ts';
import type { Session } from './session.ts';

/**
 * The dry run of a small change: looks at the key, says what would be done to it, or why it could not be done now, and does nothing.
 * Throws what `key.show` throws.
 */
export async function intend(
  session: Session,
  keyId: string,
  would: readonly string[],
  cannot: (report: KeyReport) => string | null = () => null,
): Promise<number> {
  const report = await session.door.ask<KeyReport>('key.show', { keyId });
  const { state, operation } = report;
  const blockedBy = cannot(report);
  session.result({ keyId, dryRun: true, state, operation, would: blockedBy ? [] : would, blockedBy: blockedBy ? [blockedBy] : [] }, () =>
    [
      `${keyId} is ${state}${operation ? `, at step ${operation.step} of ${operation.id}` : ''}. ${blockedBy ? `It cannot be done now: ${blockedBy}.` : 'This would:'}`,
      ...(blockedBy ? [] : would.map((line) => `  ${line}`)),
      'Nothing was changed.',
    ].join('\n'),
  );
  return 0;
}
