import { describe, expect, test } from 'vitest';
import { readTemplate, statements, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack());

describe('the boundary', () => {
  const [policy] = stack.all.filter(([, { Properties }]) => Properties?.ManagedPolicyName === 'test-rekey-boundary');
  const most = statements(policy![1].Properties.PolicyDocument);

  test('is on every role', () => {
    const roles = stack.ofType('AWS::IAM::Role');
    expect(roles.length).toBeGreaterThan(20);
    for (const { Properties } of roles) expect(Properties.PermissionsBoundary).toEqual({ Ref: policy![0] });
  });

  test('lets every role do what its policies say', () => {
    const allows = (action: string, arn: string) =>
      most.some(
        ({ Effect, Action, Resource }) => Effect === 'Allow' && Action.includes(action) && Resource.some((one) => covers(one, arn)),
      );
    const cut = stack
      .ofType('AWS::IAM::Policy')
      .flatMap(({ Properties }) => statements(Properties.PolicyDocument))
      .flatMap(({ Action, Resource }) => Action.flatMap((action) => Resource.map((arn) => [action, arn] as const)))
      .filter(([action, arn]) => !allows(action, arn));
    expect(cut).toEqual([]);
  });

  test('lets no role touch itself, another policy, or the life of the table, the keys and the secrets', () => {
    const actions = most.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    expect(
      actions.filter((action) =>
        /^(iam:.*(Role|Group|Managed)|sts:|kms:(Put|Schedule|Disable)|dynamodb:(Create|Update|Delete|Restore).*(Table|TimeToLive|Backup))/.test(
          action,
        ),
      ),
    ).toEqual([]);
    expect(actions.filter((action) => /Delete/.test(action)).sort()).toEqual([
      'dynamodb:DeleteItem',
      'dynamodb:DeleteItem',
      'iam:DeleteAccessKey',
      'logs:DeleteLogDelivery',
    ]);
  });

  test('denies the deletion of every other item, whatever a policy says', () => {
    const condition = { 'ForAnyValue:StringNotLike': { 'dynamodb:LeadingKeys': ['OUT#*', 'ORPHAN#*'] } };
    expect(most.filter(({ Effect }) => Effect === 'Deny')).toEqual([
      { Effect: 'Deny', Action: ['dynamodb:DeleteItem'], Resource: ['*'], Condition: condition },
    ]);
  });

  test('fits into a managed policy, which takes 6,144 characters', () => {
    expect(JSON.stringify(policy![1].Properties.PolicyDocument).length).toBeLessThan(6144);
  });
});

/** Whether an ARN with wildcards covers another; a log group's name is known to the stack by its resource alone. */
function covers(wide: string, arn: string): boolean {
  if (/^<\w+(Logs|Function)\w+\.Arn>$/.test(arn)) return /:(log-group:\/aws\/lambda\/|function:)test-rekey-\*$/.test(wide);
  return new RegExp(
    `^${wide
      .split('*')
      .map((part) => part.replaceAll(/[.<>+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  ).test(arn);
}
