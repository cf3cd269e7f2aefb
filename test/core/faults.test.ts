import { describe, expect, it } from 'vitest';
import { faultKinds } from '../support/faults.ts';
import { stories, tell } from '../support/stories.ts';

describe.each(Object.entries(stories))('%s ends right', (_name, story) => {
  it('when nothing fails', async () => {
    await tell(story, null);
  });

  it.each(faultKinds)(
    'when any one of its external writes meets: %s',
    async (kind) => {
      const { calls } = await tell(story, null);
      const wrong: string[] = [];
      for (let at = 1; at <= calls.length; at++) {
        await tell(story, { kind, at }).catch((error: Error) =>
          wrong.push(`${at} ${calls[at - 1]}: ${error.message.split('\n').slice(0, 6).join(' | ')}`),
        );
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});
