import { readFileSync } from 'node:fs';
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { WorkflowName } from '../core/ports.ts';

export interface WorkflowProps {
  readonly workflow: WorkflowName;
  readonly stateMachineName: string;
  /** The functions that this workflow calls, by the name of their state. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
}

/** One workflow file as a state machine. The file's text is the definition in the template; it may call its own functions and do nothing else. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { workflow, stateMachineName, functions }: WorkflowProps) {
    super(scope, id);
    const { account, region, partition } = Stack.of(this);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnEquals: { 'aws:SourceArn': `arn:${partition}:states:${region}:${account}:stateMachine:${stateMachineName}` },
        },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [...functions.values()].map((lambda) => lambda.functionArn),
      }),
    );
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definitionOf(workflow)),
      definitionSubstitutions: Object.fromEntries([...functions].map(([state, lambda]) => [`${state}FunctionArn`, lambda.functionArn])),
      role,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
      tracingEnabled: false,
    });
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'The inventory holds the audit of every step, and Step Functions keeps the history of each execution; the log needs only what failed.',
      },
      { id: 'AwsSolutions-SF2', reason: 'Traces would carry payloads to one more place; the audit chain already orders every attempt.' },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'Step Functions delivers logs by account-wide actions that know no resource; the other statement names functions one by one.',
      },
    );
  }
}

/** The workflow file as it is. */
export function definitionOf(workflow: WorkflowName): string {
  return readFileSync(new URL(`../workflows/${workflow}.asl.json`, import.meta.url), 'utf8');
}
