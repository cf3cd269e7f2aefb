import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { DestinationUnavailable } from '../../core/errors.ts';
import type { Page } from '../../core/page.ts';
import type { Pager } from '../../core/ports.ts';
import { awsFailure } from '../aws-failure.ts';

/**
 * Publishes each page to the topic for people, in the form that each kind of subscription reads: plain text for e-mail, Amazon Q
 * Developer's schema for HTTPS (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html), the page itself for the rest.
 */
export function snsPager(options: {
  readonly client: SNSClient;
  readonly topicArn: string;
  readonly stage: string;
  readonly callSeconds: number;
}): Pager {
  const { client, topicArn, stage, callSeconds } = options;
  return {
    async page(page) {
      const forms = {
        default: JSON.stringify({ stage, ...page }),
        email: asText(page),
        https: JSON.stringify(asChatNotification(page, stage)),
      };
      try {
        await client.send(
          new PublishCommand({
            TopicArn: topicArn,
            MessageStructure: 'json',
            Message: JSON.stringify(forms),
            // The same for all messages of one incident, so that a mail program keeps them together. SNS takes ASCII, and 100 characters.
            Subject: subjectOf(page, stage),
            MessageAttributes: {
              action: attribute(page.action),
              level: attribute(page.level),
              to: attribute(page.to),
              severity: attribute(page.severity),
            },
          }),
          { abortSignal: AbortSignal.timeout(callSeconds * 1000) },
        );
      } catch (error) {
        throw new DestinationUnavailable(`SNS Publish of page ${page.id}: ${awsFailure(error).text}`);
      }
    },
  };
}

function subjectOf({ title, severity }: Page, stage: string): string {
  const text = `[${stage}${severity === 'critical' ? ' CRITICAL' : ''}] ${title}`;
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function asText({ action, title, level, to, lines, more, thread }: Page): string {
  return [
    action === 'resolve' ? `Over: ${title}` : title,
    '',
    ...lines.map(({ keyId, text, since, reason }) => `- ${keyId ? `${keyId}: ` : ''}${text} (since ${since}; runbook: ${reason})`),
    ...(more ? [`- and ${more} more`] : []),
    '',
    `Told to ${to} (${level}). Incident ${thread}. What is open: rekey status`,
  ].join('\n');
}

/** What Amazon Q Developer in chat applications shows; it drops anything else without a word. `threadId` keeps an incident in one thread. */
function asChatNotification(page: Page, stage: string): object {
  const { action, title, severity, level, to, lines, more, thread } = page;
  const icon = action === 'resolve' ? ':white_check_mark:' : severity === 'critical' ? ':rotating_light:' : ':warning:';
  return {
    version: '1.0',
    source: 'custom',
    id: page.id,
    content: {
      textType: 'client-markdown',
      title: `${icon} ${action === 'resolve' ? 'Over: ' : ''}${title}`,
      description: [...lines.map(({ text, since }) => `• ${text} (since ${since})`), ...(more ? [`• and ${more} more`] : [])].join('\n'),
      nextSteps: [...new Set(lines.map(({ reason }) => `docs/runbook.md, ${reason}`))],
      keywords: [severity, stage],
    },
    metadata: { threadId: thread, summary: title, eventType: `page.${action}`, additionalContext: { level, to, stage } },
  };
}

function attribute(text: string) {
  return { DataType: 'String', StringValue: text };
}
