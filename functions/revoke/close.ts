import { notices, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Close', [secrets, notices]);
