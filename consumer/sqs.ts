import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { KeyNotice, NoticeFeed } from './notice.ts';
import { ForgedNotice, type OpenNotice } from './sns.ts';

export interface SqsOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** How its messages are read: `signedNotices` or, for raw delivery, `trustedNotices` (sns.ts). */
  readonly open: OpenNotice;
  /** A message that was thrown away because nobody knows who sent it; the reason, never its text. */
  readonly onForged?: (reason: string) => void;
}

/** Longest wait of one poll, in seconds: SQS's most. */
const waitSeconds = 20;

/**
 * Hears the notices of a queue that the topics are subscribed to. **Each running instance needs a queue of its own to hear every notice**; where
 * instances share one, those that do not get a notice move within `refreshSeconds`. A message is deleted when everything that it asks for is
 * done, so what a crash interrupts comes again after the queue's visibility time-out.
 */
export function sqsFeed({ client, queueUrl, open, onForged = () => undefined }: SqsOptions): NoticeFeed {
  /** Every handle under which a notice came: it may be published twice, and received again under another handle. */
  const handles = new Map<string, string[]>();

  const forget = async (handle: string) => {
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: handle }));
  };

  return {
    async next(signal) {
      const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds });
      const { Messages = [] } = await client.send(receive, { abortSignal: signal });
      const notices: KeyNotice[] = [];
      let failed: unknown;
      for (const { Body = '', ReceiptHandle = '' } of Messages) {
        try {
          const notice = await open(Body);
          if (notice) {
            handles.set(notice.id, [...(handles.get(notice.id) ?? []), ReceiptHandle]);
            notices.push(notice);
          } else await forget(ReceiptHandle);
        } catch (error) {
          if (error instanceof ForgedNotice) {
            onForged(error.message);
            await forget(ReceiptHandle);
          } else failed = error;
        }
      }
      // What could not be opened stays in the queue and comes again; the rest is not held up by it.
      if (failed && notices.length === 0) throw failed;
      return notices.sort((a, b) => (a.time < b.time ? -1 : 1));
    },

    async done({ id }) {
      const known = handles.get(id) ?? [];
      handles.delete(id);
      for (const handle of known) await forget(handle);
    },
  };
}
