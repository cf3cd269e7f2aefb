import { describe, expect, it } from 'vitest';
import { faultKinds } from './faults.ts';
import { stories, tell } from './stories.ts';

/** Tells a story once as it is, and once for every external write in it and every way in which that write can go wrong. */
export function describeFaults(name: keyof typeof stories): void {
  const story = stories[name];
  if (!story) throw new Error(`there is no story ${name}`);
  describe(`${name} ends right`, () => {
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
}
