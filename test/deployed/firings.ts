import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { Tier } from '../../core/key.ts';
import type { Cloud } from './cloud.ts';

/** How often the schedules of the stage fire: `sweepSeconds` of its settings. */
export const firingSeconds = 60;

/** How often the sweep of a tier said that it ended, since an instant in milliseconds. */
export async function firings({ clients, stage }: Cloud, tier: Tier, since: number): Promise<number> {
  const { events = [] } = await clients.logs.send(
    new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${stage}-rekey-sweep`, startTime: since, limit: 1000 }),
  );
  return events.filter(({ message = '' }) => message.includes('"message":"sweep"') && message.includes(`"tier":"${tier}"`)).length;
}
