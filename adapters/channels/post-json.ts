import { DestinationUnavailable } from '../../core/errors.ts';
import type { Value } from '../../core/value.ts';

/** The secret of a channel by its name; undefined for a channel that was not set up. */
export type ChannelSecret = (channel: string) => Promise<Value | undefined>;

export interface ChannelOptions {
  readonly secretOf: ChannelSecret;
  readonly stage: string;
  readonly callSeconds: number;
}

/** Posts a document. Throws DestinationUnavailable, which says what was answered and nothing of the address: it may be the secret. */
export async function postJson(channel: string, url: string, document: object, callSeconds: number): Promise<void> {
  let status: number;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(document),
      redirect: 'error',
      signal: AbortSignal.timeout(callSeconds * 1000),
    });
    status = response.status;
    await response.body?.cancel();
  } catch (error) {
    throw new DestinationUnavailable(`${channel} did not answer: ${(error as Error).name}`);
  }
  if (status < 200 || status > 299) throw new DestinationUnavailable(`${channel} answered ${status}`);
}
