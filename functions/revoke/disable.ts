import { disable } from '../../core/revoke/disable.ts';
import { executions, notices, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Disable', disable, [providers, executions, notices]);
