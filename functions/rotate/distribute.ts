import { destinations, notices, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Distribute', [secrets, destinations, notices]);
