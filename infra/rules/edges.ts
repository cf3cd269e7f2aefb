import { about, type Facts, type Rule } from './rule.ts';
import { dig, flat, listOf, type Part } from './template.ts';

const waitsForNobody = 'what nobody waits for must have a dead-letter queue';

/** Rules about what starts something and does not wait for it. */
export const edgeRules: readonly Rule[] = [
  about(
    ['AWS::Scheduler::Schedule'],
    'schedule-not-utc',
    'a schedule must be in UTC',
    ({ properties }) => dig(properties, 'ScheduleExpressionTimezone') === 'UTC',
  ),
  about(
    ['AWS::Scheduler::Schedule'],
    'schedule-off',
    'a schedule must fire',
    ({ properties }) => (dig(properties, 'State') ?? 'ENABLED') === 'ENABLED',
  ),
  {
    name: 'no-dead-letter-queue',
    must: waitsForNobody,
    broken: (facts) => [
      ...lacking(facts, 'AWS::Scheduler::Schedule', ({ properties }) => dig(properties, 'Target', 'DeadLetterConfig', 'Arn')),
      ...lacking(facts, 'AWS::SNS::Subscription', ({ properties }) => dig(properties, 'RedrivePolicy')),
      ...lacking(facts, 'AWS::Events::Rule', ({ properties }) =>
        listOf(dig(properties, 'Targets')).every((target) => dig(target, 'DeadLetterConfig', 'Arn')),
      ),
      ...lacking(
        facts,
        'AWS::Lambda::EventSourceMapping',
        (part) => dig(part.properties, 'DestinationConfig', 'OnFailure', 'Destination') ?? redrives(part, facts),
      ),
      ...lacking(
        facts,
        'AWS::Lambda::Function',
        (part) => !isInvokedByEvents(part, facts) || dig(part.properties, 'DeadLetterConfig', 'TargetArn') || failsInto(part, facts),
      ),
    ],
  },
];

function lacking({ parts }: Facts, type: string, has: (part: Part) => unknown): string[] {
  return parts.filter((part) => part.type === type && !has(part)).map(({ path }) => path);
}

/** Whether the queue that a function reads from hands on what failed. */
function redrives({ properties }: Part, { parts }: Facts): boolean {
  const source = flat(dig(properties, 'EventSourceArn'));
  return parts.some(
    ({ id, type, properties: queue }) =>
      type === 'AWS::SQS::Queue' && source === `<${id}.Arn>` && dig(queue, 'RedrivePolicy') !== undefined,
  );
}

function isInvokedByEvents({ id }: Part, { parts }: Facts): boolean {
  const arn = `<${id}.Arn>`;
  return parts.some(({ type, properties }) => {
    if (type === 'AWS::Scheduler::Schedule') return flat(dig(properties, 'Target', 'Arn')) === arn;
    if (type === 'AWS::SNS::Subscription') return flat(dig(properties, 'Endpoint')) === arn;
    if (type === 'AWS::Events::Rule') return listOf(dig(properties, 'Targets')).some((target) => flat(dig(target, 'Arn')) === arn);
    // An API waits for the answer; whatever else is given a function invokes it and goes on.
    return (
      type === 'AWS::Lambda::Permission' &&
      flat(dig(properties, 'FunctionName')) === arn &&
      dig(properties, 'Principal') !== 'apigateway.amazonaws.com'
    );
  });
}

function failsInto({ id }: Part, { parts }: Facts): boolean {
  return parts.some(
    ({ type, properties }) =>
      type === 'AWS::Lambda::EventInvokeConfig' &&
      dig(properties, 'FunctionName', 'Ref') === id &&
      dig(properties, 'DestinationConfig', 'OnFailure', 'Destination') !== undefined,
  );
}
