import type { Certificates, ShownCertificate } from '../core/certificate.ts';
import { ago } from './elapsed.ts';
import type { Session } from './session.ts';

/** The certificates of what one revocation ended; none when nobody can say right now. */
export async function certificatesOf(session: Session, keyId: string, operationId: string): Promise<Certificates> {
  try {
    const all = await session.door.ask<Certificates>('revoke.certificate', { keyId });
    return { ...all, certificates: all.certificates.filter((one) => one.operationId === operationId) };
  } catch {
    session.note(`The certificate cannot be shown right now: rekey certificate ${keyId}`);
    return { keyId, certificates: [], stopwatch: [] };
  }
}

/** Certificates in words, then the stopwatch. */
export function showCertificates({ certificates, stopwatch }: Certificates): string {
  const marks = stopwatch.map(
    ({ mark, seconds, targetSeconds }) =>
      `  ${mark.padEnd(9)} ${(seconds === null ? 'not yet' : ago(seconds * 1000)).padStart(9)}   due at ${ago(targetSeconds * 1000)}${seconds !== null && seconds > targetSeconds ? ', LATE' : ''}`,
  );
  return [...certificates.map(show), ...(certificates.length && marks.length ? ['Since the report:', ...marks] : [])].join('\n');
}

function show(one: ShownCertificate): string {
  const { denied, alive, inconclusive } = one.tried;
  const { count, from, to, answer } = one.row;
  const looks = one.watched.map(
    ({ at, verdict, listed, answer: said }) =>
      `  looked      ${at}: ${verdict === 'alive' || listed === 'enabled' ? 'ALIVE AGAIN' : 'still dead'} (${verdict}, ${said}; ${listed})`,
  );
  return [
    `DEATH CERTIFICATE  ${one.keyId}, version ${one.version} (${one.credential} at ${one.provider}/${one.account})`,
    `  dead since  ${one.deadAt}: ${one.proof}`,
    `  told        ${one.toldAt || 'unknown'} to refuse it`,
    ...(count > 0 ? [`  refused     ${count} times in a row, ${from} to ${to} (${answer || 'no detail'})`] : []),
    `  tried       ${denied + alive + inconclusive} times since: ${denied} refused, ${alive} accepted, ${inconclusive} not to be judged; by ${one.by}`,
    `  list        ${one.listed === 'absent' ? 'the provider does not list it' : 'the provider lists it as disabled'}`,
    ...(one.strangers === null
      ? []
      : [`  strangers   ${one.strangers || 'no'} enabled credential${one.strangers === 1 ? '' : 's'} that nobody can explain`]),
    ...(one.sessionsEndedAt ? [`  sessions    those derived before ${one.sessionsEndedAt} are refused`] : []),
    `  operation   ${one.operationId}`,
    ...looks,
    ...(one.nextLooks.length ? [`  next look   ${one.nextLooks.join(', ')}`] : []),
  ].join('\n');
}
