import { executions, notices, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Disable', [providers, executions, notices]);
