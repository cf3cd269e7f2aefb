import { confirm } from '../../core/rotate/confirm.ts';
import { destinations, executions, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Confirm', confirm, [secrets, providers, destinations, executions, notices]);
