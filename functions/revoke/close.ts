import { close } from '../../core/revoke/close.ts';
import { notices, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Close', close, [secrets, notices]);
