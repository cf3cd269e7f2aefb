import { accept } from '../../core/revoke/accept.ts';
import { executions, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Accept', accept, [providers, executions]);
