import { reconcile } from '../core/reconcile/reconcile.ts';
import { destinations, executions, fingerprints, notices, providers, secrets } from './compose.ts';
import { scheduleHandler } from './handler.ts';

export const handler = scheduleHandler('reconcile', [secrets, providers, destinations, fingerprints, notices, executions], (ports) =>
  reconcile(ports),
);
