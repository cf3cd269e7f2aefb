import { about, type Facts, type Rule } from './rule.ts';
import { dig, flat, isAnybody, listOf, type Part, statementsOf } from './template.ts';

const table = ['AWS::DynamoDB::Table'];
const logGroup = ['AWS::Logs::LogGroup'];

/** Where each type says which key of ours encrypts it. */
const keys: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::Table': ['SSESpecification', 'KMSMasterKeyId'],
  'AWS::SecretsManager::Secret': ['KmsKeyId'],
  'AWS::SNS::Topic': ['KmsMasterKeyId'],
  'AWS::SQS::Queue': ['KmsMasterKeyId'],
  'AWS::Logs::LogGroup': ['KmsKeyId'],
  'AWS::StepFunctions::StateMachine': ['EncryptionConfiguration', 'KmsKeyId'],
};

/** Where the policy of each type says whose it is. */
const policies: Readonly<Record<string, readonly [policy: string, names: string]>> = {
  'AWS::SNS::Topic': ['AWS::SNS::TopicPolicy', 'Topics'],
  'AWS::SQS::Queue': ['AWS::SQS::QueuePolicy', 'Queues'],
  'AWS::S3::Bucket': ['AWS::S3::BucketPolicy', 'Bucket'],
};

/** Rules about what is stored: that it stays, can be brought back, is encrypted, and is reached over TLS only. */
export const keptRules: readonly Rule[] = [
  about(
    [...table, 'AWS::SecretsManager::Secret', 'AWS::KMS::Key'],
    'not-retained',
    'the inventory, the secrets and the keys must outlive the stack',
    ({ deletion, replacement }) => deletion === 'Retain' && replacement === 'Retain',
  ),
  about(
    table,
    'table-not-restorable',
    'the inventory must be restorable to any second',
    ({ properties }) => dig(properties, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled') === true,
  ),
  about(
    table,
    'table-deletable',
    'the inventory must be protected from deletion',
    ({ properties }) => dig(properties, 'DeletionProtectionEnabled') === true,
  ),
  about(
    table,
    'table-forgets',
    'nothing in the inventory may expire',
    ({ properties }) => dig(properties, 'TimeToLiveSpecification') === undefined,
  ),
  about(Object.keys(keys), 'not-encrypted', 'everything stored must be encrypted with a key of this stack', ({ type, properties }) => {
    const key = dig(properties, ...(keys[type] ?? []));
    return key !== undefined && !flat(key).startsWith('alias/aws/');
  }),
  // Secrets Manager and KMS have no address without TLS (https://docs.aws.amazon.com/general/latest/gr/asm.html).
  about([...Object.keys(policies), ...table], 'not-tls-only', 'what also answers plain HTTP must refuse it', onlyTls),
  about([...logGroup, 'AWS::Lambda::Function'], 'log-kept-for-ever', 'every log must go to a group that forgets', ({ type, properties }) =>
    type === 'AWS::Lambda::Function'
      ? dig(properties, 'LoggingConfig', 'LogGroup') !== undefined
      : typeof dig(properties, 'RetentionInDays') === 'number',
  ),
  {
    name: 'stage-not-protected',
    must: 'the stack of stage prod must be protected from termination',
    broken: ({ installation: { settings }, terminationProtection }) =>
      settings.stage === 'prod' && !terminationProtection ? ['the stack'] : [],
  },
];

function onlyTls({ id, type, properties }: Part, { parts }: Facts): boolean {
  const [policy, names] = policies[type] ?? [];
  const apart = parts
    .filter((part) => part.type === policy && listOf(dig(part.properties, names ?? '')).some((one) => dig(one, 'Ref') === id))
    .map((part) => dig(part.properties, 'PolicyDocument'));
  return [...apart, dig(properties, 'ResourcePolicy', 'PolicyDocument')]
    .flatMap(statementsOf)
    .some(
      ({ effect, principal, condition }) =>
        effect === 'Deny' && isAnybody(principal) && String(dig(condition, 'Bool', 'aws:SecureTransport')) === 'false',
    );
}
