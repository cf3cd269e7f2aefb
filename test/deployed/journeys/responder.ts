import type { Journey } from '../journey.ts';

/** What one with only the responders' policy can do, and cannot. */
export const journey: Journey = {
  letter: 'c',
  title: 'a responder revokes, and can do nothing else',
  needs: ['functions', 'http-api', 'iam-enforced', 'sns-filter'],
  async run(cloud, tell) {
    const status = await cloud.cli(['status']);
    if (status.code !== 0) throw new Error(`status ended with ${status.code}: ${status.json.error?.message}`);
    tell('the operator asks for the status');
  },
};
