import { verify } from '../../core/rotate/verify.ts';
import { notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Verify', verify, [secrets, providers, notices]);
