import { CfnOutput } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { may, policyName, type Role, roles } from '../core/authority.ts';
import { routes } from '../requests/routes.ts';
import type { Api } from './api.ts';

export interface PeopleProps {
  readonly stage: string;
  readonly api: Api;
  /** ARN of the workflow that revokes. */
  readonly revoke: string;
}

/**
 * One managed policy per role, to attach to the roles of people and programs: the routes of the requests that core/authority.ts
 * lets that role make, one by one. Nobody needs a right to the table, to a value or to a function. Responders may also start
 * the revoking workflow itself, which works when the API does not.
 */
export class People extends Construct {
  constructor(scope: Construct, id: string, { stage, api, revoke }: PeopleProps) {
    super(scope, id);
    for (const role of roles) {
      const policy = new ManagedPolicy(this, titled(role), {
        managedPolicyName: policyName(stage, role),
        statements: [
          new PolicyStatement({
            actions: ['execute-api:Invoke'],
            resources: routes.filter(({ action }) => may(role, action)).map((route) => api.routeArn(route)),
          }),
          ...(may(role, 'revoke') ? [new PolicyStatement({ actions: ['states:StartExecution'], resources: [revoke] })] : []),
        ],
      });
      new CfnOutput(this, `${titled(role)}Policy`, { value: policy.managedPolicyArn }).overrideLogicalId(`${titled(role)}PolicyArn`);
    }
  }
}

function titled(role: Role): string {
  return `${role.charAt(0).toUpperCase()}${role.slice(1)}`;
}
