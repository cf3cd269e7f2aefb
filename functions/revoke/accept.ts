import { executions, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Accept', [providers, executions]);
