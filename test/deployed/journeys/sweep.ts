import { operationIdOf } from '../../../core/items.ts';
import type { KeySummary } from '../../../core/show.ts';
import { firingSeconds, firings } from '../firings.ts';
import type { Journey } from '../journey.ts';
import { ask, must } from '../record.ts';
import { seedKeys } from '../seed.ts';
import { until } from '../until.ts';

/** The schedule of tier medium finds what is due among what is not. */
export const journey: Journey = {
  letter: 'f',
  title: 'the sweep finds the 25 due keys of 500 and starts exactly those',
  after: 'e',
  needs: ['functions', 'http-api', 'scheduler', 'transactions', 'vendor'],
  async run(cloud, tell) {
    const began = Date.now();
    const keys = await seedKeys(cloud, { name: 'fleet', tier: 'medium', count: 500, due: 25 });
    const operations = new Map(keys.map((key) => [operationIdOf('rotate', key.keyId, `${key.dueAt}|1`), key]));
    tell(`500 adopted keys in the table after ${Math.round((Date.now() - began) / 1000)} s, 25 of them due`);
    const started = async () => {
      const runs = new Set((await cloud.executions('rotate')).map(({ name = '' }) => name.replace(/-r\d+$/, '')));
      return [...operations].filter(([operationId]) => runs.has(operationId)).map(([, key]) => key);
    };
    await until('an execution for each due key', async () => (await started()).length >= 25, 2 * firingSeconds, 5);
    const since = Date.now();
    await until('another firing', async () => (await firings(cloud, 'medium', since)) >= 1, firingSeconds, 5);
    const moved = await started();
    must(moved.length === 25 && moved.every((key) => key.due), `what moved is what was due (${moved.length})`);
    const list = new Map((await ask<{ rows: KeySummary[] }>(cloud, 'key.list', {})).rows.map((one) => [one.id, one]));
    const resting = keys.filter(({ keyId, dueAt }) => {
      const one = list.get(keyId);
      return one?.state === 'active' && one.current === 1 && one.nextDueAt === dueAt;
    });
    // A rotation that was rolled back meanwhile has another due date.
    must(resting.length === 475 && resting.every((key) => !key.due), `the other 475 are as they were (${resting.length})`);
    tell('25 executions under the names of their due dates; after another firing the other 475 rest');
  },
};
