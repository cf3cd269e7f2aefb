import { operationIdOf } from '../../../core/items.ts';
import type { KeySummary } from '../../../core/show.ts';
import { firings } from '../firings.ts';
import type { Journey } from '../journey.ts';
import { ask, must } from '../record.ts';
import { seedKeys } from '../seed.ts';
import { until } from '../until.ts';

/** The schedule of tier medium finds what is due among what is not. */
export const journey: Journey = {
  letter: 'f',
  title: 'the sweep finds the 25 due keys of 500 and starts exactly those',
  needs: ['functions', 'http-api', 'scheduler', 'transactions', 'vendor'],
  async run(cloud, tell) {
    const began = Date.now();
    const keys = await seedKeys(cloud, { name: 'fleet', tier: 'medium', count: 500, due: 25 });
    const due = keys.filter((key) => key.due).map(({ keyId, dueAt }) => operationIdOf('rotate', keyId, `${dueAt}|1`));
    tell(`500 adopted keys in the table after ${Math.round((Date.now() - began) / 1000)} s, 25 of them due`);
    const ours = new Set(keys.map(({ keyId }) => keyId));
    const started = async () => {
      const runs = (await cloud.executions('rotate')).map(({ name = '' }) => name.replace(/-r\d+$/, ''));
      return due.filter((operationId) => runs.includes(operationId)).length;
    };
    await until('an execution for each due key', async () => (await started()) === 25, 240, 5);
    const since = Date.now();
    await until('another firing', async () => (await firings(cloud, 'medium', since)) >= 1, 150, 5);
    const list = (await ask<KeySummary[]>(cloud, 'key.list', {})).filter(({ id }) => ours.has(id));
    must(list.length === 500, `the list has all of them (${list.length})`);
    const resting = list.filter(({ state, current }) => state === 'active' && current === 1);
    must(resting.length === 475, `475 are as they were (${resting.length})`);
    const dueIds = new Set(keys.filter((key) => key.due).map(({ keyId }) => keyId));
    must(
      list.every((one) => resting.includes(one) !== dueIds.has(one.id)),
      'what moved is what was due',
    );
    tell('25 executions under the names of their due dates; after another firing the other 475 rest');
  },
};
