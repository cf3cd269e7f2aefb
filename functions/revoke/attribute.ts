import { attribute } from '../../core/revoke/attribute.ts';
import { notices, providers } from '../compose.ts';
import { stepHandler } from '../handler.ts';

export const handler = stepHandler('Attribute', attribute, [providers, notices]);
