import type { Facts, Rule } from './rule.ts';
import { dig, flat, listOf, type Part, type Statement, statementsOf } from './template.ts';

/** One resource that sends to another by the hand of an AWS service. */
interface Edge {
  readonly from: Part;
  readonly service: string;
  readonly to: Part;
  /** What the service calls the sender, as far as the template knows it. */
  readonly source: string;
}

/** Each type of receiver: what is asked of it, and where the policy is that says who may. */
const receivers: Readonly<Record<string, { readonly action: string; readonly policy: string; readonly names: string }>> = {
  'AWS::SNS::Topic': { action: 'sns:Publish', policy: 'AWS::SNS::TopicPolicy', names: 'Topics' },
  'AWS::SQS::Queue': { action: 'sqs:SendMessage', policy: 'AWS::SQS::QueuePolicy', names: 'Queues' },
};

/** What a service does with the key of a receiver that is encrypted. */
const encrypts = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** Rules about what must get through: a page that is refused on its way wakes nobody, and nothing says so. */
export const deliveryRules: readonly Rule[] = [
  {
    name: 'alarm-without-page',
    must: 'every alarm must have an action',
    broken: ({ parts }) =>
      parts
        .filter(({ type, properties }) => type === 'AWS::CloudWatch::Alarm' && listOf(dig(properties, 'AlarmActions')).length === 0)
        .map(({ path }) => path),
  },
  {
    name: 'sender-refused',
    must: 'the policy of a topic or queue, and that of its key, must let in every service that sends to it',
    broken: (facts) => edgesOf(facts).flatMap((edge) => refusals(edge, facts).map((why) => `${edge.from.path}: ${why}`)),
  },
];

function edgesOf({ parts }: Facts): Edge[] {
  const receiver = (arn: unknown) => parts.find(({ id, type }) => receivers[type] && [`<${id}>`, `<${id}.Arn>`].includes(flat(arn)));
  return parts.flatMap((from) => {
    const { id, type, properties } = from;
    const edges = (service: string, arns: readonly unknown[], source: string): Edge[] =>
      arns
        .map(receiver)
        .filter((to) => to !== undefined)
        .map((to) => ({ from, service, to, source }));
    if (type === 'AWS::CloudWatch::Alarm') {
      const source = `arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:${dig(properties, 'AlarmName')}`;
      return edges('cloudwatch.amazonaws.com', listOf(dig(properties, 'AlarmActions')), source);
    }
    if (type === 'AWS::SNS::Subscription')
      return edges('sns.amazonaws.com', [dig(properties, 'Endpoint')], flat(dig(properties, 'TopicArn')));
    if (type === 'AWS::Events::Rule')
      return edges(
        'events.amazonaws.com',
        listOf(dig(properties, 'Targets')).flatMap((target) => [dig(target, 'Arn'), dig(target, 'DeadLetterConfig', 'Arn')]),
        `<${id}.Arn>`,
      );
    return [];
  });
}

function refusals({ service, to, source }: Edge, { parts }: Facts): string[] {
  const { action, policy, names } = receivers[to.type] as (typeof receivers)[string];
  const own = parts
    .filter(({ type, properties }) => type === policy && listOf(dig(properties, names)).some((one) => dig(one, 'Ref') === to.id))
    .flatMap(({ properties }) => statementsOf(dig(properties, 'PolicyDocument')));
  const named = flat(dig(to.properties, 'KmsMasterKeyId'));
  const key = parts.find(({ id }) => [`<${id}>`, `<${id}.Arn>`].includes(named));
  const ofKey = statementsOf(dig(key?.properties, 'KeyPolicy'));
  return [
    ...(own.some((one) => admits(one, service, action, source)) ? [] : [`${to.path} refuses it`]),
    ...(!key || encrypts.every((use) => ofKey.some((one) => admits(one, service, use, source))) ? [] : [`${key.path} refuses it`]),
  ];
}

function admits({ effect, principal, actions, condition }: Statement, service: string, action: string, source: string): boolean {
  const patterns = ['ArnLike', 'ArnEquals', 'StringLike', 'StringEquals'].flatMap((operator) =>
    listOf(dig(condition, operator, 'aws:SourceArn')).map(flat),
  );
  return (
    effect === 'Allow' &&
    listOf(dig(principal, 'Service')).map(flat).includes(service) &&
    actions.includes(action) &&
    (patterns.length === 0 || patterns.some((pattern) => covers(pattern, source)))
  );
}

function covers(pattern: string, arn: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(arn);
}
