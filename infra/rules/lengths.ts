import { about, type Facts, type Rule } from './rule.ts';
import { dig, flat } from './template.ts';

/** The most characters that IAM takes, whitespace aside: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. A role here has one inline policy. */
const most: Readonly<Record<string, number>> = { 'AWS::IAM::ManagedPolicy': 6144, 'AWS::IAM::Policy': 10_240 };

/** The longest that each of these is anywhere. */
const longest: Readonly<Record<string, number>> = {
  'AWS::Partition': 'aws-us-gov'.length,
  'AWS::Region': 'ap-southeast-1'.length,
  'AWS::AccountId': 12,
  'AWS::ApiGatewayV2::Api': 10,
};
/** An ARN with our longest names in it. */
const anArn = 100;

/** The synthesis passes a policy that IAM refuses in the middle of a deployment. */
export const lengthRules: readonly Rule[] = [
  about(
    Object.keys(most),
    'policy-too-long',
    'a policy must fit into what IAM takes; shorten the names given with -c secrets and -c parameters, by wildcards for example',
    ({ type, properties }, facts) => lengthOf(dig(properties, 'PolicyDocument'), facts) <= (most[type] as number),
  ),
];

/** How long a document is when it is deployed, at most. */
function lengthOf(document: unknown, { parts }: Facts): number {
  const lengthOfReference = (name: string) => longest[name] ?? longest[parts.find(({ id }) => id === name)?.type ?? ''] ?? anArn;
  const plain = (text: string) => text.replaceAll(/<([^>]+)>/g, (_, name: string) => 'x'.repeat(lengthOfReference(name)));
  const deployed = (value: unknown): unknown => {
    if (typeof value === 'string') return value;
    if (Array.isArray(value)) return value.map(deployed);
    if (typeof value !== 'object' || value === null) return value;
    const names = Object.keys(value);
    if (names.length === 1 && /^(Ref|Fn::)/.test(names[0] ?? '')) return plain(flat(value));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, deployed(inner)]));
  };
  return JSON.stringify(deployed(document)).replaceAll(/\s/g, '').length;
}
