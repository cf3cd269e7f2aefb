import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface PeopleProps {
  readonly name: (what: string) => string;
  readonly operate: LambdaFunction;
  readonly intake: LambdaFunction;
  readonly acknowledge: LambdaFunction;
}

/**
 * What to attach to the roles of people and programs. A policy opens doors and nothing behind them: nobody needs a right to
 * the table, to a secret or to an execution. Responders revoke through the intake, operators do everything else, consumers
 * send receipts.
 */
export class People extends Construct {
  constructor(scope: Construct, id: string, { name, operate, intake, acknowledge }: PeopleProps) {
    super(scope, id);
    this.#policy('Operator', name('operator'), [operate, intake]);
    this.#policy('Responder', name('responder'), [intake]);
    this.#policy('Consumer', name('consumer'), [acknowledge]);
  }

  #policy(id: string, managedPolicyName: string, doors: readonly LambdaFunction[]): void {
    const resources = doors.map((door) => door.functionArn);
    new ManagedPolicy(this, id, {
      managedPolicyName,
      statements: [
        new PolicyStatement({
          actions: ['lambda:InvokeFunctionUrl'],
          resources,
          conditions: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
        }),
        // A Function URL asks for both rights. Invoked directly, a caller could write any principal into the event.
        new PolicyStatement({
          actions: ['lambda:InvokeFunction'],
          resources,
          conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
        }),
      ],
    });
  }
}
