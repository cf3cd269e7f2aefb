import { messagesOf, pageOf } from '../requests/page-message.ts';
import { channels } from './compose.ts';
import { eventHandler } from './handler.ts';

// The topic of pages alone may invoke this.
export const handler = eventHandler('channels', [channels], async ({ pager }, event) => {
  for (const message of messagesOf(event)) {
    const page = pageOf(message);
    if (page) await pager.page(page);
  }
});
