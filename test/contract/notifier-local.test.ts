import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFeed } from '../../local/feed.ts';
import { describeNotifier } from './notifier.ts';

describeNotifier('the local feed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekey-feed-'));
  const feed = await openFeed({ path: join(folder, 'feed'), stage: 'local' });
  const heard: string[] = [];
  const published = {
    publish: async (notice: Parameters<typeof feed.publish>[0]) => {
      await feed.publish(notice);
      const entries = await feed.next(notice.audience, 0, 0);
      heard.push(...entries.map(({ event }) => String(event.id)));
    },
  };
  return {
    notifier: published,
    received: () => heard,
    close: async () => {
      await feed.close();
      await rm(folder, { recursive: true });
    },
  };
});
