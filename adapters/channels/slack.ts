import { DestinationUnavailable } from '../../core/errors.ts';
import type { Page } from '../../core/page.ts';
import type { Pager } from '../../core/ports.ts';
import { type ChannelOptions, postJson } from './post-json.ts';

/** The hosts of Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
const hosts = ['https://hooks.slack.com/', 'https://hooks.slack-gov.com/'];

/** Slack's own limit of a section's text, in characters. */
const longestSection = 3000;

/**
 * Tells a Slack channel every page. The secret is the address of an incoming webhook, which may post and nothing else; it cannot answer in a
 * thread, so each message names its incident (Amazon Q Developer keeps one thread for each). Throws DestinationUnavailable.
 */
export function slackChannel(options: ChannelOptions & { readonly origins?: readonly string[] }): Pager {
  const { secretOf, stage, callSeconds, origins = hosts } = options;
  return {
    async page(page) {
      const webhook = await secretOf('slack');
      if (!webhook) return;
      const url = webhook.reveal();
      if (!origins.some((origin) => url.startsWith(origin)))
        throw new DestinationUnavailable('the address for Slack is not one of Slack’s');
      await postJson('Slack', url, messageOf(page, stage), callSeconds);
    },
  };
}

function messageOf({ action, severity, level, to, title, lines, more, thread }: Page, stage: string): object {
  const icon = action === 'resolve' ? ':white_check_mark:' : severity === 'critical' ? ':rotating_light:' : ':warning:';
  const head = `${icon} [${stage}] ${action === 'resolve' ? 'Over: ' : ''}${title}`;
  const body = [
    ...lines.map(
      ({ keyId, text, since, reason }) => `• ${keyId ? `*${safe(keyId)}*: ` : ''}${safe(text)} (since ${since}; runbook: ${reason})`,
    ),
    ...(more ? [`• and ${more} more`] : []),
  ].join('\n');
  return {
    text: safe(head),
    blocks: [
      section(`*${safe(head)}*`),
      ...(body ? [section(body)] : []),
      { type: 'context', elements: [{ type: 'mrkdwn', text: safe(`For ${to} (${level}) · incident ${thread}`) }] },
    ],
  };
}

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text: text.slice(0, longestSection) } });

/** Slack reads three characters as markup, and what they make as mentions of people. */
function safe(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
