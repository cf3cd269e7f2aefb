import { bulk } from '../requests/bulk.ts';
import { doorOf } from '../requests/door.ts';
import { emergency } from '../requests/emergency.ts';
import { executions, fingerprints, providers } from './compose.ts';
import { httpHandler } from './http-handler.ts';
import { requestName } from './request-name.ts';

// The kill path carries what responders ask for, and nothing else.
const requests = { ...emergency, ...bulk };
const answer = doorOf(requests);

export const handler = httpHandler('intake', [providers, fingerprints, executions], (ports, { path, input, principal }) =>
  answer(ports, requestName(path, requests), input, { actor: principal, via: 'intake' }),
);
