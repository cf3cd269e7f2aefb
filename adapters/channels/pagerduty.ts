import type { Page } from '../../core/page.ts';
import type { Pager } from '../../core/ports.ts';
import { type ChannelOptions, postJson } from './post-json.ts';

/** https://developer.pagerduty.com/docs/events-api-v2-overview */
const events = 'https://events.pagerduty.com';

/** What PagerDuty cuts off, in characters. */
const longest = { key: 255, summary: 1024 };

/**
 * Wakes whoever is on call: an event of PagerDuty's Events API v2 for each page that is for them. All of one incident have one key, so that they are
 * one alert there, and what takes the page back resolves it. The secret is the integration's routing key. Throws DestinationUnavailable.
 */
export function pagerDutyChannel(options: ChannelOptions & { readonly origin?: string }): Pager {
  const { secretOf, stage, callSeconds, origin = events } = options;
  return {
    async page(page) {
      // Owners and teams are told where they work; here somebody is woken.
      if (page.level !== 'on-call') return;
      const routingKey = await secretOf('pagerduty');
      if (routingKey) await postJson('PagerDuty', `${origin}/v2/enqueue`, eventOf(page, stage, routingKey.reveal()), callSeconds);
    },
  };
}

function eventOf({ action, thread, title, severity, time, to, lines, more }: Page, stage: string, routing_key: string): object {
  const dedup_key = `rekey/${stage}/${thread}`.slice(0, longest.key);
  if (action === 'resolve') return { routing_key, event_action: 'resolve', dedup_key };
  return {
    routing_key,
    event_action: 'trigger',
    dedup_key,
    client: 'Rekey',
    payload: {
      summary: `[${stage}] ${title}`.slice(0, longest.summary),
      source: lines[0]?.keyId ?? `rekey/${stage}`,
      severity,
      timestamp: time,
      component: 'rekey',
      group: stage,
      class: lines[0]?.reason ?? 'page',
      custom_details: {
        to,
        what: lines.map(({ keyId, text, since, reason }) => `${keyId ? `${keyId}: ` : ''}${text} (since ${since}; runbook: ${reason})`),
        more,
        next: 'rekey status',
      },
    },
  };
}
