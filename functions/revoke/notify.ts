import { notify } from '../../core/revoke/notify.ts';
import { notices } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Notify', notify, [notices]);
