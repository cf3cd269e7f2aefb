import { setTimeout as pause } from 'node:timers/promises';
import { GetScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import type { AuditEntry } from '../../../core/audit.ts';
import { operationIdOf } from '../../../core/items.ts';
import type { Cloud } from '../cloud.ts';
import { firingSeconds, firings } from '../firings.ts';
import type { Journey } from '../journey.ts';
import { ask, must } from '../record.ts';
import { seedKeys } from '../seed.ts';
import { invoke } from '../signed.ts';
import { until } from '../until.ts';

/** The schedule of tier low has this journey to itself. */
export const journey: Journey = {
  letter: 'g',
  title: 'the same schedule event twice, and two more firings: one execution for each key and due date',
  needs: ['functions', 'http-api', 'scheduler', 'transactions', 'vendor'],
  async run(cloud, tell) {
    const { input, functionArn } = await scheduleOf(cloud, 'low');
    const keys = await seedKeys(cloud, { name: 'duplicates', tier: 'low', count: 3, due: 3 });
    const functionName = functionArn.split(':')[6] ?? '';
    const answers = await Promise.all([invoke(functionName, input), invoke(functionName, input)]);
    must(
      answers.every(({ status, text }) => status === 200 && text === 'null'),
      `both answer (${answers.map(({ status, text }) => `${status} ${text.slice(0, 100)}`).join('; ')})`,
    );
    tell(`the sweep ran twice at once with the scheduler's own input, ${input}, while ${keys.length} keys were due`);
    const since = Date.now();
    await until('two more firings of the schedule', async () => (await firings(cloud, 'low', since)) >= 2, 2 * firingSeconds, 5);
    await pause(5000);
    const executions = await cloud.executions('rotate');
    for (const { keyId, dueAt } of keys) {
      const operationId = operationIdOf('rotate', keyId, `${dueAt}|1`);
      const started = (await ask<AuditEntry[]>(cloud, 'key.history', { keyId })).filter(({ event }) => event === 'rotation.started');
      must(started.length === 1 && started[0]?.detail['operation'] === operationId, `${keyId} began once (${started.length})`);
      const runs = executions.filter(({ name }) => name?.startsWith(operationId));
      must(
        runs.length === 1 && runs[0]?.name === `${operationId}-r1`,
        `${keyId} has one execution (${runs.map(({ name }) => name).join(', ')})`,
      );
    }
    tell('after two more firings each key has one rotation in its audit and one execution');
  },
};

/** What the scheduler sends for a tier, and to whom. */
async function scheduleOf({ clients, stage }: Cloud, tier: string): Promise<{ readonly input: string; readonly functionArn: string }> {
  const GroupName = `${stage}-rekey-schedules`;
  const { Schedules = [] } = await clients.scheduler.send(new ListSchedulesCommand({ GroupName }));
  for (const { Name } of Schedules) {
    const { Target } = await clients.scheduler.send(new GetScheduleCommand({ GroupName, Name }));
    if (Target?.Input?.includes(`"${tier}"`)) return { input: Target.Input, functionArn: String(Target.Arn) };
  }
  throw new Error(`no schedule of tier ${tier} in ${GroupName}`);
}
