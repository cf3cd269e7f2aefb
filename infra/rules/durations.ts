import { Refused } from '../../core/errors.ts';
import { checkPolicy } from '../../core/policy/check-policy.ts';
import { checkSettings } from '../../core/settings.ts';
import { steps } from '../../workflows/steps.ts';
import { about, type Rule } from './rule.ts';
import { dig } from './template.ts';

/** The longest that Lambda lets a function run, in seconds. */
const longest = 900;

const day = 86_400;

/** The inequalities of protocol.md §5 that do not need a workflow. */
export const durationRules: readonly Rule[] = [
  {
    name: 'settings-contradict',
    must: 'the durations of settings.yaml must fit together',
    broken: ({ installation: { settings } }) => problemsOf(() => checkSettings(settings)),
  },
  {
    name: 'overlap-against-period',
    must: 'each tier must rotate less often than its overlap, soak and in-flight bound take',
    broken: ({ installation: { policy, settings } }) => problemsOf(() => checkPolicy(policy, settings)),
  },
  {
    name: 'schedule-in-minutes',
    must: 'each schedule must fire every whole number of minutes, because Scheduler counts in those',
    broken: ({ installation: { settings } }) =>
      Object.entries({ reconcile: settings.reconcileSeconds, ...settings.sweepSeconds })
        .filter(([, seconds]) => seconds % 60 !== 0)
        .map(([name, seconds]) => `${name} every ${seconds} s`),
  },
  about(
    ['AWS::CloudWatch::Alarm'],
    'alarm-window',
    `an alarm must look at whole minutes, and at no more than a day together: CloudWatch refuses others`,
    ({ properties }) => {
      const [period, periods] = [dig(properties, 'Period'), dig(properties, 'EvaluationPeriods')].map(Number) as [number, number];
      return period % 60 === 0 && period * periods <= day;
    },
  ),
  // The quiesce is computed from functionSeconds: a step that may run longer could still act after it.
  about(
    ['AWS::Lambda::Function'],
    'function-time-out',
    'the function of a step must end after functionSeconds of settings.yaml, a whole number of at most 900',
    ({ properties }, { installation: { settings } }) => {
      const { functionSeconds, stage } = settings;
      const isStep = steps.some(({ state }) => dig(properties, 'FunctionName') === `${stage}-rekey-step-${state.toLowerCase()}`);
      const possible = Number.isInteger(functionSeconds) && functionSeconds <= longest;
      return !isStep || (possible && dig(properties, 'Timeout') === functionSeconds);
    },
  ),
];

function problemsOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
}
