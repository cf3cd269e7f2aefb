import type { RekeyConsumer } from './consumer.ts';
import { ForgedNotice, type OpenNotice } from './sns.ts';

export interface LambdaOptions {
  readonly consumer: Pick<RekeyConsumer, 'hear'>;
  /** How messages are read: `signedNotices` or `trustedNotices` (sns.ts). */
  readonly open: OpenNotice;
  /** A message that was thrown away because nobody knows who sent it; the reason, never its text. */
  readonly onForged?: (reason: string) => void;
}

/** What a function answers a queue: these messages are to come again. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

interface SnsRecord {
  readonly Sns: Readonly<Record<string, unknown>>;
}

interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
}

export interface LambdaEvent {
  readonly Records?: readonly (SnsRecord | SqsRecord)[];
}

/**
 * The handler of a function that the topics, or a queue behind them, call. When it returns, everything that the notices ask for is done and
 * nothing is under way; what was not done comes again (for a queue, turn on `ReportBatchItemFailures`). The other instances of the function
 * move within `refreshSeconds`.
 */
export function lambdaHandler({ consumer, open, onForged = () => undefined }: LambdaOptions): (event: LambdaEvent) => Promise<BatchAnswer> {
  async function take(text: string): Promise<void> {
    try {
      const notice = await open(text);
      if (notice) await consumer.hear(notice);
    } catch (error) {
      if (!(error instanceof ForgedNotice)) throw error;
      onForged(error.message);
    }
  }

  return async ({ Records = [] }) => {
    const failed: string[] = [];
    for (const record of Records) {
      // A topic calls for one message at a time, and again when this throws.
      if ('Sns' in record) await take(envelopeOf(record.Sns));
      else await take(record.body).catch(() => failed.push(record.messageId));
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** Lambda writes two of SNS's names differently, and null for a subject that is not there. */
function envelopeOf({ SigningCertUrl, Subject, ...same }: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ SigningCertURL: SigningCertUrl, ...(typeof Subject === 'string' ? { Subject } : {}), ...same });
}
