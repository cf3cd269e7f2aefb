import { takeReports } from '../core/reports/batch.ts';
import { awsReports } from '../requests/senders/aws.ts';
import { executions, fingerprints, providers } from './compose.ts';
import { eventHandler } from './handler.ts';

// EventBridge alone may invoke this, for one rule of this account; the account in the event is checked again.
export const handler = eventHandler('aws-event', [providers, fingerprints, executions], (ports, event, account) =>
  takeReports(ports, awsReports(event, account), { actor: 'sender:aws', budget: true }),
);
