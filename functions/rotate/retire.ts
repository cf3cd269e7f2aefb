import { retire } from '../../core/rotate/retire.ts';
import { notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Retire', retire, [secrets, providers, notices]);
