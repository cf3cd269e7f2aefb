import { issue } from '../../core/rotate/issue.ts';
import { fingerprints, notices, providers, secrets } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Issue', issue, [secrets, providers, fingerprints, notices]);
