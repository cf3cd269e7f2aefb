import { type KeyNotice, type NoticeFeed, noticeOf, type Receipts } from './notice.ts';

export interface HttpOptions {
  /** The base address, such as `http://127.0.0.1:4321`. */
  readonly url: string;
  /** Reads this consumer's own bearer token, before each call: it may change. */
  readonly token: () => Promise<string>;
}

/** Longest time a call without a wait may take, in milliseconds. */
const callMs = 5000;

/** How long the server may keep a poll open, in seconds. */
const waitSeconds = 20;

/** Hears notices by long poll. A new process hears what is still in the feed again and drops what is old. */
export function httpFeed(options: HttpOptions): NoticeFeed {
  let after = 0;
  return {
    async next(signal) {
      const limit = AbortSignal.timeout(waitSeconds * 1000 + callMs);
      const response = await call(options, `/notices?after=${after}&wait=${waitSeconds}`, { signal: AbortSignal.any([signal, limit]) });
      if (!response.ok) throw new Error(`the feed answered ${response.status}`);
      const { notices } = (await response.json()) as { notices: { seq: number; event: unknown }[] };
      after = notices.at(-1)?.seq ?? after;
      return notices.map(({ event }) => noticeOf(event)).filter((notice): notice is KeyNotice => notice !== undefined);
    },
  };
}

/** Sends receipts to the same server. */
export function httpReceipts(options: HttpOptions): Receipts {
  return {
    async send(receipt, signal) {
      const limit = AbortSignal.timeout(callMs);
      const body = JSON.stringify(receipt);
      const response = await call(options, '/receipts', { method: 'POST', body, signal: AbortSignal.any([signal, limit]) });
      const answer = (await response.json()) as { error?: { code: string } };
      if (response.status >= 500) throw new Error(`the receipt was answered ${response.status}`);
      return response.ok ? 'accepted' : (answer.error?.code ?? 'E_INTERNAL');
    },
  };
}

async function call({ url, token }: HttpOptions, path: string, init: RequestInit): Promise<Response> {
  const headers = { authorization: `Bearer ${(await token()).trim()}`, 'content-type': 'application/json' };
  return await fetch(url + path, { ...init, headers });
}
