import { fingerprints, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Issue', [secrets, providers, fingerprints, notices]);
