import { readFileSync } from 'node:fs';
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type CfnStateMachine, DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { WorkflowName } from '../core/ports.ts';
import { logDelivery } from './operations-key.ts';
import { anyTrace } from './rights.ts';

export interface WorkflowProps {
  readonly workflow: WorkflowName;
  readonly stateMachineName: string;
  /** The functions that this workflow calls, by the name of their state. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly key: Key;
}

/** One workflow file as a state machine. The file's text is the definition in the template; it may call its own functions and do nothing else. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { workflow, stateMachineName, functions, key }: WorkflowProps) {
    super(scope, id);
    const { account, region, partition } = Stack.of(this);
    const arn = `arn:${partition}:states:${region}:${account}:stateMachine:${stateMachineName}`;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnEquals: { 'aws:SourceArn': arn },
        },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [...functions.values()].map((lambda) => lambda.functionArn),
      }),
    );
    const encrypt = (actions: string[], context: Record<string, string>) =>
      role.addToPolicy(new PolicyStatement({ actions, resources: [key.keyArn], conditions: { StringEquals: context } }));
    encrypt(['kms:Decrypt', 'kms:GenerateDataKey'], { 'kms:EncryptionContext:aws:states:stateMachineArn': arn });
    encrypt(['kms:GenerateDataKey'], logDelivery(Stack.of(this)));
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
          encryptionKey: key,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    // Not by CDK's own property: it would let log delivery of every account decrypt with the key.
    (this.stateMachine.node.defaultChild as CfnStateMachine).encryptionConfiguration = {
      type: 'CUSTOMER_MANAGED_KMS_KEY',
      kmsKeyId: key.keyArn,
      // The most that Step Functions takes: fewer calls of KMS.
      kmsDataKeyReusePeriodSeconds: 900,
    };
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'The inventory holds the audit of every step, and Step Functions keeps the history of each execution; the log needs only what failed.',
      },
      anyTrace,
    );
  }
}

/** The workflow file as it is. */
function definitionOf(workflow: WorkflowName): string {
  return readFileSync(new URL(`../workflows/${workflow}.asl.json`, import.meta.url), 'utf8');
}
