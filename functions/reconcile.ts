import { reconcile } from '../core/reconcile/reconcile.ts';
import { destinations, executions, notices, providers, secrets } from './compose.ts';
import { scheduleHandler } from './handler.ts';

export const handler = scheduleHandler('reconcile', [secrets, providers, destinations, notices, executions], (ports) => reconcile(ports));
