import { answer } from '../requests/answer.ts';
import { requests } from '../requests/requests.ts';
import { destinations, executions, fingerprints, notices, providers, secrets } from './compose.ts';
import { httpHandler } from './http-handler.ts';
import { requestName } from './request-name.ts';

export const handler = httpHandler(
  'operate',
  [secrets, providers, destinations, fingerprints, notices, executions],
  (ports, { path, input, principal }) => answer(ports, requestName(path, requests), input, { actor: principal, via: 'operate' }),
);
