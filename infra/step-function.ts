import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, type Code, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environment } from '../workflows/environment.ts';
import type { DoorRight } from './doors.ts';
import { anyTrace, type Grounds, grant } from './rights.ts';

export interface StepFunctionProps {
  readonly functionName: string;
  readonly code: Code;
  readonly timeoutSeconds: number;
  readonly may: readonly DoorRight[];
  readonly grounds: Grounds;
  readonly logKey: Key;
  /** Executions kept free for this function alone, which are then the most that it gets. */
  readonly reserved?: number | undefined;
}

/** One row of a table as one Lambda function: its own role, its own log group, the rights of its row. */
export class StepFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly logs: LogGroup;

  constructor(scope: Construct, id: string, props: StepFunctionProps) {
    super(scope, id);
    const { functionName, code, timeoutSeconds, may, grounds, logKey, reserved } = props;
    this.logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: RetentionDays.THREE_MONTHS,
      encryptionKey: logKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [this.logs.logGroupArn] }));
    grant(role, may, grounds);
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName,
      code,
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // The processor's share grows with memory: at 512 MB a cold start spends about a third of the time of 128 MB.
      memorySize: 512,
      timeout: Duration.seconds(timeoutSeconds),
      role,
      logGroup: this.logs,
      loggingFormat: LoggingFormat.JSON,
      // Segments of time and outcome; the code has no tracer, which would keep what handlers answer.
      tracing: Tracing.ACTIVE,
      ...(reserved === undefined ? {} : { reservedConcurrentExecutions: reserved }),
      environment: variables(grounds),
    });
    // A function that runs before its policy is attached fails for no reason that its error would tell.
    this.lambda.node.addDependency(role);
    Validations.of(role).acknowledge(anyTrace);
  }
}

function variables({ inventory, secrets, topics, workflows }: Grounds): Record<string, string> {
  return {
    [environment.table]: inventory.name,
    [environment.topic]: topics.notices.topicArn,
    [environment.emergencies]: topics.emergencies.topicArn,
    [environment.pages]: topics.pages.topicArn,
    [environment.prefix]: secrets.prefix,
    [environment.rotateWorkflow]: workflows.rotate,
    [environment.revokeWorkflow]: workflows.revoke,
  };
}
