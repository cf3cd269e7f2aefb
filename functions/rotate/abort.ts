import { executions, notices } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Abort', [executions, notices]);
