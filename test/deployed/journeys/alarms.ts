import { alarmChecks } from '../alarms.ts';
import type { Journey } from '../journey.ts';

/** What each alarm of the deployed stage is worth, and how that was shown. */
export const journey: Journey = {
  letter: 'j',
  title: 'the alarms see what the functions measure, and ring',
  needs: ['functions', 'http-api', 'scheduler', 'task-tokens', 'alarms'],
  async run(cloud, tell) {
    for (const { alarm, how, observed } of await alarmChecks(cloud)) {
      if (how === 'not run') tell.notRun(alarm, observed);
      else tell(`${alarm}: ${how}. ${observed}`);
    }
  },
};
