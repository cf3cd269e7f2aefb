import { Refused } from '../core/errors.ts';
import { tiers } from '../core/key.ts';
import { sweep } from '../core/sweep.ts';
import { executions } from './compose.ts';
import { scheduleHandler } from './handler.ts';

export const handler = scheduleHandler('sweep', [executions], (ports, event) => {
  const tier = tiers.find((name) => name === (event as { tier?: unknown } | null)?.tier);
  if (!tier) throw new Refused('E_INPUT_INVALID', 'the event names no tier');
  return sweep(ports, { tier });
});
