import { CfnOutput } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type AuthorityRule, actions, may, policyName, type Role, roles } from '../core/authority.ts';
import type { Api } from './api.ts';
import { acknowledgeWildcards, reasonFor } from './rights.ts';
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
 * One managed policy per role, to attach to the roles of people and programs: the routes of the actions that the
 * policy's authority gives to that role. Nobody needs a right to the table, to a function, or to read a value. Responders may also
 * start the revoking workflow itself, which works when the API does not. Whoever creates keys may also put an existing value
 * where the functions look for it, because values never pass the API.
 */
export class People extends Construct {
  constructor(scope: Construct, id: string, { stage, api, revoke, secrets, authority }: PeopleProps) {
    super(scope, id);
    for (const role of roles) {
      const statements: PolicyStatementProps[] = [
        {
          actions: ['execute-api:Invoke'],
          resources: actions.filter((action) => may(authority, role, action)).flatMap((action) => api.arnsOf(action)),
        },
        ...(may(authority, role, 'revoke') ? startingByHand(revoke) : []),
        ...(may(authority, role, 'create') ? handingIn(secrets.arns('keys')) : []),
      ];
      const policy = new ManagedPolicy(this, titled(role), {
        managedPolicyName: policyName(stage, role),
        statements: statements.map((statement) => new PolicyStatement(statement)),
      });
      acknowledgeWildcards(policy, statements, (resource) => reasonFor(resource) ?? '');
      new CfnOutput(this, `${titled(role)}Policy`, { value: policy.managedPolicyArn }).overrideLogicalId(`${titled(role)}PolicyArn`);
    }
  }
}

/** Starts the workflow without the API, and sees how that ended. */
function startingByHand(workflow: string): PolicyStatementProps[] {
  const executions = `${workflow.replace(':stateMachine:', ':execution:')}:*`;
  return [
    { actions: ['states:StartExecution'], resources: [workflow] },
    { actions: ['states:DescribeExecution'], resources: [executions] },
  ];
}

/** Puts a value into a key's secret, and takes the label off again when the value was refused. IAM cannot say which label a value is put under. */
function handingIn(resources: string[]): PolicyStatementProps[] {
  return [
    { actions: ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'], resources },
    {
      actions: ['secretsmanager:UpdateSecretVersionStage'],
      resources,
      conditions: { StringEquals: { 'secretsmanager:VersionStage': 'AWSPENDING' } },
    },
  ];
}

function titled(role: Role): string {
  return `${role.charAt(0).toUpperCase()}${role.slice(1)}`;
}
