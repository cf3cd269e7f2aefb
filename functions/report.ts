import { doorOf } from '../requests/door.ts';
import { reports } from '../requests/reports.ts';
import { receiveReport } from '../requests/senders/receive.ts';
import { deployedSenders, executions, fingerprints, providers } from './compose.ts';
import { httpHandler, openHandler } from './http-handler.ts';
import { requestName } from './request-name.ts';

const answer = doorOf(reports);
const parts = [providers, fingerprints, executions];
const secretOf = deployedSenders();

const open = openHandler('report', parts, (ports, { path, message }) =>
  receiveReport(ports, secretOf, path.replace(/^reports\//, ''), message),
);
const signed = httpHandler('report', parts, (ports, { path, input, principal }) =>
  answer(ports, requestName(path, reports), input, { actor: principal, via: 'report' }),
);

export const handler: typeof signed = (event, invocation) => (event.rawPath?.startsWith('/reports/') ? open : signed)(event, invocation);
