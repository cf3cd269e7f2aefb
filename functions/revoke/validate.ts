import { validate } from '../../core/revoke/validate.ts';
import { notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Validate', validate, [secrets, providers, notices]);
