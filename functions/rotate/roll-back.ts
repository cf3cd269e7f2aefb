import { rollBack } from '../../core/rotate/roll-back.ts';
import { destinations, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('RollBack', rollBack, [secrets, providers, destinations, notices]);
