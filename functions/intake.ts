import { answer } from '../requests/answer.ts';
import { executions, fingerprints, providers } from './compose.ts';
import { httpHandler } from './http-handler.ts';
import { requestName } from './request-name.ts';

export const handler = httpHandler('intake', [providers, fingerprints, executions], (ports, { path, input, principal }) =>
  answer(ports, requestName(path), input, { actor: principal, via: 'intake' }),
);
