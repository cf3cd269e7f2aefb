import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type AuthorityRule, may, policyName, type Role, roles } from '../core/authority.ts';
import { routes } from '../requests/routes.ts';
import type { Api } from './api.ts';
import { shown } from './rights.ts';
import type { SecretPrefix } from './secret-prefix.ts';

export interface PeopleProps {
  readonly stage: string;
  readonly api: Api;
  /** ARN of the workflow that revokes. */
  readonly revoke: string;
  readonly secrets: SecretPrefix;
  /** The policy's authority. */
  readonly authority: readonly AuthorityRule[];
}

/**
 * One managed policy per role, to attach to the roles of people and programs: the routes of the requests that the
 * policy's authority lets that role make, one by one. Nobody needs a right to the table, to a function, or to read a value. Responders may also
 * start the revoking workflow itself, which works when the API does not. Whoever creates keys may also put an existing value
 * where the functions look for it, because values never pass the API.
 */
export class People extends Construct {
  constructor(scope: Construct, id: string, { stage, api, revoke, secrets, authority }: PeopleProps) {
    super(scope, id);
    for (const role of roles) {
      const policy = new ManagedPolicy(this, titled(role), {
        managedPolicyName: policyName(stage, role),
        statements: [
          new PolicyStatement({
            actions: ['execute-api:Invoke'],
            resources: routes.filter(({ action }) => may(authority, role, action)).map((route) => api.routeArn(route)),
          }),
          ...(may(authority, role, 'revoke') ? [new PolicyStatement({ actions: ['states:StartExecution'], resources: [revoke] })] : []),
          ...(may(authority, role, 'create') ? handingIn(secrets.arns('keys')) : []),
        ],
      });
      if (may(authority, role, 'create')) acceptNames(policy, secrets.arns('keys'));
      new CfnOutput(this, `${titled(role)}Policy`, { value: policy.managedPolicyArn }).overrideLogicalId(`${titled(role)}PolicyArn`);
    }
  }
}

/** Puts a value into a key's secret, and takes the label off again when the value was refused. */
function handingIn(resources: string[]): PolicyStatement[] {
  const actions = ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'];
  return [
    new PolicyStatement({ actions, resources }),
    new PolicyStatement({
      actions: ['secretsmanager:UpdateSecretVersionStage'],
      resources,
      conditions: { StringEqualsIfExists: { 'secretsmanager:VersionStage': 'AWSPENDING' } },
    }),
  ];
}

function acceptNames(policy: ManagedPolicy, resources: readonly string[]): void {
  for (const resource of resources) {
    Validations.of(policy).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${shown(resource, Stack.of(policy))}]`,
      reason: 'Secrets are created with the keys, and Secrets Manager adds characters to each name; the prefix is fixed.',
    });
  }
}

function titled(role: Role): string {
  return `${role.charAt(0).toUpperCase()}${role.slice(1)}`;
}
