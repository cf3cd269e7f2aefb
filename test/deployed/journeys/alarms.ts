import { alarmChecks } from '../alarms.ts';
import type { Journey } from '../journey.ts';

/** What each alarm of the deployed stage is worth, and how that was shown. */
export const journey: Journey = {
  letter: 'j',
  title: 'the alarms see what happens, ring, and their pages arrive',
  after: 'c',
  needs: ['functions', 'error-names', 'http-api', 'scheduler', 'task-tokens', 'alarms', 'sns-filter', 'transactions'],
  async run(cloud, tell, _others, lacks) {
    for (const { alarm, how, observed } of await alarmChecks(cloud, lacks)) {
      if (how === 'not run') tell.notRun(alarm, observed);
      else tell(`${alarm}: ${how}. ${observed}`);
    }
  },
};
