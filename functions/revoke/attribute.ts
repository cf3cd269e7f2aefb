import { notices, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Attribute', [providers, notices]);
