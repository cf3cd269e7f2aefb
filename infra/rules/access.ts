import { openRoutes } from '../../requests/routes.ts';
import { withoutResource } from '../boundary.ts';
import { reasonFor } from '../rights.ts';
import { about, type Facts, type Rule } from './rule.ts';
import { dig, flat, isAnybody, listOf, type Part, pairsOf, type Statement, statementsOf } from './template.ts';

const role = ['AWS::IAM::Role'];
const identity = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::Role', 'AWS::IAM::UserPolicy', 'AWS::IAM::GroupPolicy'];

/** Where each type keeps the policy that says who may come. */
const resourcePolicies: Readonly<Record<string, readonly string[]>> = {
  'AWS::KMS::Key': ['KeyPolicy'],
  'AWS::SNS::TopicPolicy': ['PolicyDocument'],
  'AWS::SQS::QueuePolicy': ['PolicyDocument'],
  'AWS::S3::BucketPolicy': ['PolicyDocument'],
  'AWS::SecretsManager::ResourcePolicy': ['ResourcePolicy'],
  'AWS::DynamoDB::Table': ['ResourcePolicy', 'PolicyDocument'],
};

/** What the roles of other services than Lambda may do. */
const platform: Readonly<Record<string, readonly string[]>> = {
  'states.amazonaws.com': ['lambda:InvokeFunction', 'kms:Decrypt', 'kms:GenerateDataKey', ...withoutResource],
  'scheduler.amazonaws.com': ['lambda:InvokeFunction', 'sqs:SendMessage'],
};

const checked = 'a service may act for this account and its own resource only';

/** Rules about who may do what, and on whose behalf. */
export const accessRules: readonly Rule[] = [
  about(identity, 'wildcard-action', 'a right must name its actions', (part, facts) =>
    rightsIn(part, facts).every(({ actions }) => actions.every((action) => !action.includes('*'))),
  ),
  about(identity, 'wildcard-resource', 'a right must name what it is about, or the reason must stand in infra/rights.ts', (part, facts) =>
    rightsIn(part, facts).every(({ actions, resources }) =>
      resources.every((one) =>
        one === '*' ? actions.every((action) => withoutResource.includes(action)) : !one.includes('*') || reasonFor(one) !== undefined,
      ),
    ),
  ),
  about(
    role,
    'right-beyond-table',
    'a role may have the rights of its row and nothing beyond',
    (part, facts) => beyond(part, facts).length === 0,
  ),
  about(role, 'right-missing', 'a function must have every right of its row', (part, facts) => missing(part, facts).length === 0),
  about(
    role,
    'role-without-boundary',
    'every role must have the boundary',
    ({ properties }) => dig(properties, 'PermissionsBoundary') !== undefined,
  ),
  about(role, 'caller-not-checked', checked, ({ properties }) =>
    statementsOf(dig(properties, 'AssumeRolePolicyDocument')).every(
      // Lambda passes no source when it takes a role: the right to pass the role is what protects it.
      ({ principal, condition }) => dig(principal, 'Service') === 'lambda.amazonaws.com' || isOurs(condition),
    ),
  ),
  about(
    ['AWS::Lambda::Permission'],
    'caller-not-checked',
    checked,
    ({ properties }) =>
      /\.amazonaws\.com$/.test(String(dig(properties, 'Principal'))) &&
      isOwnArn(dig(properties, 'SourceArn')) &&
      flat(dig(properties, 'SourceAccount')) === '<AWS::AccountId>',
  ),
  about(Object.keys(resourcePolicies), 'caller-not-checked', checked, ({ type, properties }) =>
    statementsOf(dig(properties, ...(resourcePolicies[type] ?? []))).every(
      ({ effect, principal, condition }) =>
        effect === 'Deny' ||
        (dig(principal, 'Service') !== undefined
          ? isOurs(condition) || isOurContext(condition)
          : !isAnybody(principal) || isVia(condition)),
    ),
  ),
  about(
    ['AWS::Lambda::Url', 'AWS::ApiGatewayV2::Route'],
    'door-without-signature',
    'a door must ask for a signature',
    ({ properties }) =>
      (dig(properties, 'AuthType') ?? dig(properties, 'AuthorizationType')) === 'AWS_IAM' ||
      openRoutes.some(({ path }) => dig(properties, 'RouteKey') === `POST /${path}`),
  ),
];

/** The values that a condition asks for under a key, if it only lets in what has one of them. */
function asked(condition: unknown, key: string): string[] {
  return ['StringEquals', 'StringLike', 'ArnEquals', 'ArnLike'].flatMap((operator) => listOf(dig(condition, operator, key)).map(flat));
}

/** Holds only when a service acts for this account and for something of ours. */
function isOurs(condition: unknown): boolean {
  const arns = asked(condition, 'aws:SourceArn');
  return asked(condition, 'aws:SourceAccount').join() === '<AWS::AccountId>' && arns.length > 0 && arns.every(isOwnArn);
}

/** An ARN of this account that names a resource of this stack, or all whose names begin as ours do. */
function isOwnArn(arn: unknown): boolean {
  return /^(<(?!AWS::)[^>]+>$|arn:[^*]*:<AWS::AccountId>:[^*]*(-rekey-|<(?!AWS::)))/.test(flat(arn ?? ''));
}

/** Holds only when the data is of this account. */
function isOurContext(condition: unknown): boolean {
  const contexts = ['StringEquals', 'StringLike', 'ArnEquals', 'ArnLike']
    .flatMap((operator) => Object.entries((dig(condition, operator) ?? {}) as object))
    .filter(([key]) => key.startsWith('kms:EncryptionContext:'));
  return (
    contexts.length > 0 && contexts.every(([, values]) => listOf(values).every((one) => /^arn:[^*]*:<AWS::AccountId>:/.test(flat(one))))
  );
}

/** Holds only when one of the services named makes the call for somebody of this account. */
function isVia(condition: unknown): boolean {
  const services = asked(condition, 'kms:ViaService');
  const named = services.length > 0 && services.every((service) => /^[a-z]+\.<AWS::Region>\.amazonaws\.com$/.test(service));
  return named && asked(condition, 'kms:CallerAccount').join() === '<AWS::AccountId>';
}

/** The rights that a policy gives. A boundary gives none. */
function rightsIn({ id, type, properties }: Part, { parts }: Facts): Statement[] {
  if (parts.some((part) => flat(dig(part.properties, 'PermissionsBoundary')) === `<${id}>`)) return [];
  const documents =
    type === 'AWS::IAM::Role'
      ? listOf(dig(properties, 'Policies')).map((one) => dig(one, 'PolicyDocument'))
      : [dig(properties, 'PolicyDocument')];
  return documents.flatMap(statementsOf).filter(({ effect }) => effect === 'Allow');
}

/** Everything that a role may do, by its own policies and by those attached to it. */
function rightsOf(part: Part, facts: Facts): Statement[] {
  const attached = facts.parts.filter(
    ({ type, properties }) => identity.includes(type) && listOf(dig(properties, 'Roles')).some((one) => flat(one) === `<${part.id}>`),
  );
  return [part, ...attached].flatMap((policy) => rightsIn(policy, facts));
}

function beyond(part: Part, facts: Facts): string[] {
  const managed = listOf(dig(part.properties, 'ManagedPolicyArns')).map(flat);
  // A wildcard is the business of the other two rules.
  const named = rightsOf(part, facts).filter(
    ({ actions, resources }) =>
      !actions.some((action) => action.includes('*')) &&
      resources.every((one) => !one.includes('*') || one === '*' || reasonFor(one) !== undefined),
  );
  const service = String(dig(part.properties, 'AssumeRolePolicyDocument', 'Statement', 0, 'Principal', 'Service'));
  const actions = platform[service];
  if (actions) return [...managed, ...named.flatMap((one) => one.actions.filter((action) => !actions.includes(action)))];
  const wanted = wantedOf(part, facts);
  return [...managed, ...pairsOf(named).filter((pair) => !wanted.has(pair))].filter(
    (pair) => !/^\S+ \*$/.test(pair) || withoutResource.includes(pair.slice(0, -2)),
  );
}

function missing(part: Part, facts: Facts): string[] {
  const held = new Set(pairsOf(rightsOf(part, facts)));
  return [...wantedOf(part, facts)].filter((pair) => !held.has(pair));
}

/** What the function of a role needs: its row, its own log, its traces, and its place for dead letters. */
function wantedOf({ id }: Part, { parts, rights }: Facts): Set<string> {
  const lambda = parts.find(({ type, properties }) => type === 'AWS::Lambda::Function' && flat(dig(properties, 'Role')) === `<${id}.Arn>`);
  if (!lambda) return new Set();
  const log = dig(lambda.properties, 'LoggingConfig', 'LogGroup', 'Ref');
  const letters = parts
    .filter(({ type, properties }) => type === 'AWS::Lambda::EventInvokeConfig' && dig(properties, 'FunctionName', 'Ref') === lambda.id)
    .map(({ properties }) => `sqs:SendMessage ${flat(dig(properties, 'DestinationConfig', 'OnFailure', 'Destination'))}`);
  return new Set([
    ...(rights.get(String(dig(lambda.properties, 'FunctionName'))) ?? []),
    ...(log === undefined ? [] : [`logs:CreateLogStream <${log}.Arn>`, `logs:PutLogEvents <${log}.Arn>`]),
    'xray:PutTraceSegments *',
    'xray:PutTelemetryRecords *',
    ...letters,
  ]);
}
