import { destinations, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('RollBack', [secrets, providers, destinations, notices]);
