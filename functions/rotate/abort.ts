import { abort } from '../../core/rotate/abort.ts';
import { executions, notices } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Abort', abort, [executions, notices]);
