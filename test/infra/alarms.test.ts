import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { powertoolsLog } from '../../adapters/powertools-log.ts';
import { InventoryUnavailable } from '../../core/errors.ts';
import { metricNamespace, metrics } from '../../core/metric.ts';
import type { Ports } from '../../core/ports.ts';
import { takeReports } from '../../core/reports/batch.ts';
import { sweep } from '../../core/sweep.ts';
import { instant } from '../../core/time.ts';
import { alarmHeadings } from '../../infra/alarms.ts';
import { type AlarmProperties, extracted, isWatched, stateOf } from '../support/cloudwatch.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';
import { adopted, services, testFacts, testPolicy, type World, type WorldOptions, world } from '../support/world.ts';

type Name = keyof typeof alarmHeadings;

const stack = readTemplate(testStack());
const alarmOf = (name: Name): AlarmProperties =>
  stack.ofType('AWS::CloudWatch::Alarm').find(({ Properties }) => Properties.AlarmName === `test-rekey-${name}`)?.Properties;

let w: World | undefined;
let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  if (w) await end(w);
  w = undefined;
});

/** A world that measures as the functions do. */
function start(options: WorldOptions = {}): World {
  const { measure } = powertoolsLog('test');
  const wrap = (ports: Ports): Ports => ({ ...(options.wrap?.(ports) ?? ports), log: { ...ports.log, measure } });
  w = world({ ...options, wrap });
  return w;
}

const minutes = 60;
const { rotateEverySeconds, toleranceSeconds, overlapMaxSeconds } = testPolicy.tiers.medium;

/** Our own alarms: the condition that each is about, and how it comes about. `wrong`: as in the sentence; otherwise the same without it. */
const ours: readonly { readonly alarm: Name; readonly condition: string; readonly happens: (wrong: boolean) => Promise<void> }[] = [
  {
    alarm: 'revocation-not-contained',
    condition: 'a provider says that it disabled a version and goes on accepting it',
    happens: async (wrong) => {
      const now = start();
      const keyId = await adopted(now);
      if (wrong) now.provider.mood = 'ignores disable';
      await revokes(now, keyId);
      await now.pass(17 * minutes);
    },
  },
  {
    alarm: 'rotation-rolled-back',
    condition: 'a provider accepts values that were never issued, so that no version can be verified',
    happens: async (wrong) => {
      const now = start();
      const keyId = await adopted(now);
      services(now, testFacts());
      await beginsRotation(now, keyId);
      await untilStep(now, keyId, 'verify');
      if (wrong) now.provider.mood = 'accepts everything';
      await now.pass(20);
      now.provider.mood = 'honest';
      await untilIdle(now, keyId);
    },
  },
  {
    alarm: 'reports-waiting',
    condition: 'a sender reports more than may act by itself',
    happens: async (wrong) => {
      const now = start();
      const keyId = await adopted(now, testFacts({ consumers: [] }));
      if (wrong)
        await now.ports.inventory.write([
          { do: 'put', item: { pk: 'SENDER#siem', sk: 'BUDGET', since: instant(now.ports.clock.now()), used: 1000 } },
        ]);
      const about = {
        source: 'suspicious-use',
        sender: 'siem',
        eventId: 'e-1',
        confidence: 'reported',
        where: 'unknown',
        own: true,
      } as const;
      const report = { ...about, subject: { keyId }, says: 'odd', evidence: '', at: '' };
      await takeReports(now.ports, [report], { actor: 'sender:siem', budget: true });
      await now.pass(1);
    },
  },
  {
    alarm: 'consumer-silent',
    condition: 'one consumer never proves that it moved, until the overlap is at its cap',
    happens: async (wrong) => {
      const now = start();
      const keyId = await adopted(now);
      services(now, testFacts(), { silent: wrong ? ['batch'] : [] });
      await beginsRotation(now, keyId);
      await now.pass(overlapMaxSeconds + 2 * minutes);
    },
  },
  {
    alarm: 'key-overdue',
    condition: 'a key is past its tolerance and the inventory takes no write that would start its rotation',
    happens: async (wrong) => {
      let refusing = false;
      const wrap = (ports: Ports): Ports => ({
        ...ports,
        inventory: {
          ...ports.inventory,
          write: async (writes) => {
            if (refusing) throw new InventoryUnavailable('throttled');
            await ports.inventory.write(writes);
          },
        },
      });
      const now = start({ reconciler: false, wrap });
      await adopted(now);
      await now.pass(rotateEverySeconds + toleranceSeconds);
      refusing = wrong;
      await sweep(now.ports, { tier: 'medium' });
    },
  },
  {
    alarm: 'operation-stuck',
    condition: 'every execution of a rotation is dropped',
    happens: async (wrong) => {
      const wrap = (ports: Ports): Ports => ({ ...ports, executions: { ...ports.executions, start: async () => undefined } });
      const now = start(wrong ? { wrap } : {});
      const keyId = await adopted(now);
      services(now, testFacts());
      await beginsRotation(now, keyId);
      await now.pass(5 * minutes);
    },
  },
  {
    alarm: 'notices-waiting',
    condition: 'the topic takes no notice',
    happens: async (wrong) => {
      const publish = () => Promise.reject(new TypeError('no route'));
      const now = start({ wrap: (ports) => (wrong ? { ...ports, notifier: { publish } } : ports) });
      const keyId = await adopted(now);
      await beginsRotation(now, keyId);
      await now.pass(3 * minutes);
    },
  },
  {
    alarm: 'keys-not-reconciled',
    condition: 'the provider lists nothing, run after run',
    happens: async (wrong) => {
      const now = start();
      await adopted(now);
      if (wrong) now.provider.list = () => Promise.reject(new TypeError('the admin credential has expired'));
      await now.pass(17 * minutes);
    },
  },
  {
    alarm: 'reconciler-stopped',
    condition: 'no run of the reconciler comes to its end',
    happens: async (wrong) => {
      await start({ reconciler: !wrong }).pass(16 * minutes);
    },
  },
  {
    alarm: 'sweeps-stopped',
    condition: 'no schedule starts a sweep',
    happens: async (wrong) => {
      const now = start({ reconciler: false });
      for (let round = 0; round < 4; round++) {
        if (!wrong) await sweep(now.ports, { tier: 'high' });
        await now.pass(4 * minutes);
      }
    },
  },
];

/** Alarms on what AWS measures by itself: its name of the metric, and what its dimension names. */
const theirs: readonly { readonly alarm: Name; readonly metric: string; readonly dimensions: Readonly<Record<string, string>> }[] = [
  {
    alarm: 'revocation-failed',
    metric: 'AWS/States ExecutionsFailed',
    dimensions: { StateMachineArn: 'AWS::StepFunctions::StateMachine test-rekey-revoke' },
  },
  { alarm: 'doors-failing', metric: 'AWS/ApiGateway 5xx', dimensions: { ApiId: 'AWS::ApiGatewayV2::Api test-rekey-api' } },
  {
    alarm: 'firings-undelivered',
    metric: 'AWS/SQS ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: 'AWS::SQS::Queue test-rekey-undelivered' },
  },
];

describe.each(ours)('POL-F10: $alarm', ({ alarm, happens }) => {
  test.each([
    ['rings', true, 'ALARM'],
    ['is silent otherwise', false, 'OK'],
  ])('%s', async (_, wrong, state) => {
    const properties = alarmOf(alarm);
    await happens(wrong);
    const datapoints = extracted(lines);
    expect(stateOf(properties, datapoints, Date.now())).toBe(state);
    // Quiet because all is well, not because the alarm watches what nobody measures.
    if (properties.TreatMissingData === 'breaching' && !wrong)
      expect(datapoints.some((datapoint) => isWatched(properties, datapoint))).toBe(true);
  });
});

test.each(theirs)('$alarm watches $metric', ({ alarm, metric, dimensions }) => {
  const { Namespace, MetricName, Dimensions, Threshold, ComparisonOperator, TreatMissingData } = alarmOf(alarm);
  expect(`${Namespace} ${MetricName}`).toBe(metric);
  expect(Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, named(Value)]))).toEqual(dimensions);
  expect({ Threshold, ComparisonOperator, TreatMissingData }).toEqual({
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
  });
});

test('every alarm of the stack is in one of the two tables', () => {
  expect([...ours, ...theirs].map(({ alarm }) => alarm).sort()).toEqual(Object.keys(alarmHeadings).sort());
});

test('our alarms watch metrics that the core names, by the stage alone', () => {
  for (const { alarm } of ours) {
    const { Namespace, MetricName, Dimensions } = alarmOf(alarm);
    expect([Namespace, Dimensions]).toEqual([metricNamespace, [{ Name: 'stage', Value: 'test' }]]);
    expect(Object.keys(metrics)).toContain(MetricName);
  }
});

test('every queue is watched, so that no dead letter lies unseen', () => {
  const watched = theirs.flatMap(({ dimensions }) => dimensions['QueueName'] ?? []);
  const queues = stack.ofType('AWS::SQS::Queue').map(({ Properties }) => `AWS::SQS::Queue ${Properties.QueueName}`);
  expect(watched.sort()).toEqual(queues.sort());
});

/** What a reference in the template names: its type and its name in AWS. */
function named(value: unknown): string {
  const id = flat(value).replace(/^<([^.>]+).*$/, '$1');
  const { Type, Properties } = stack.template.Resources[id] ?? { Type: 'nothing', Properties: {} };
  return `${Type} ${Properties.Name ?? Properties.StateMachineName ?? Properties.QueueName}`;
}
