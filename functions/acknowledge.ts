import { receive } from '../core/adoption.ts';
import { Refused } from '../core/errors.ts';
import { receiptOf } from '../requests/receipt.ts';
import { executions, notices, secrets } from './compose.ts';
import { httpHandler } from './http-handler.ts';
import { consumerOf } from './signer.ts';

export const handler = httpHandler('acknowledge', [secrets, notices, executions], (ports, { path, input, principal }) => {
  if (path !== 'receipts') throw new Refused('E_NOT_FOUND', 'receipts are posted to /receipts');
  return receive(ports, receiptOf(input), consumerOf(principal));
});
