import { receive } from '../core/adoption.ts';
import { executions, notices, secrets } from './compose.ts';
import { httpHandler } from './http-handler.ts';
import { receiptOf } from './receipt.ts';
import { consumerOf } from './signer.ts';

export const handler = httpHandler('acknowledge', [secrets, notices, executions], (ports, { path, input, principal }) =>
  receive(ports, receiptOf(path, input), consumerOf(principal)),
);
