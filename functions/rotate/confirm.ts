import { destinations, executions, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Confirm', [secrets, providers, destinations, executions, notices]);
