import { distribute } from '../../core/rotate/distribute.ts';
import { destinations, notices, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Distribute', distribute, [secrets, destinations, notices]);
