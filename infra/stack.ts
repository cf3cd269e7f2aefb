import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { WorkflowName } from '../core/ports.ts';
import type { Installation } from '../functions/installation.ts';
import { steps } from '../workflows/steps.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { AwsEvents } from './aws-events.ts';
import { boundary } from './boundary.ts';
import { Dashboard } from './dashboard.ts';
import { DeadLetters } from './dead-letters.ts';
import { type Door, doors } from './doors.ts';
import { InventoryTable } from './inventory-table.ts';
import { operationsKey } from './operations-key.ts';
import { PageChannels } from './page-channels.ts';
import { People } from './people.ts';
import type { Grounds } from './rights.ts';
import { brokenRules } from './rules.ts';
import { Schedules } from './schedules.ts';
import { SecretPrefix } from './secret-prefix.ts';
import { StepFunction } from './step-function.ts';
import { Topics } from './topic.ts';
import { Workflow } from './workflow.ts';

export interface RekeyStackProps extends StackProps {
  readonly installation: Installation;
  /** The bundled code of an entry of the step table or of the doors. */
  readonly code: (entry: string) => Code;
  readonly delivers: Grounds['delivers'];
  /** A table that was restored from a backup, to be used instead of the stack's own; `former` is the one before it, where that is another. */
  readonly table?: string | undefined;
  readonly former?: string | undefined;
  /** An earlier stack of this stage left the table and the pepper: they are used, and not made. */
  readonly kept?: boolean | undefined;
  /** Other accounts, whose services may subscribe to notices and emergencies. None by default. */
  readonly consumerAccounts?: readonly string[] | undefined;
  /** Executions kept free for each function that stops a key: Intake, Accept and Disable. None by default. */
  readonly reservedForRevoke?: number | undefined;
}

/** All of Rekey in one account and region. Composes the constructs, loops over the two tables, and decides nothing else. */
export class RekeyStack extends Stack {
  constructor(scope: Construct, id: string, props: RekeyStackProps) {
    super(scope, id, props);
    const { installation, code, delivers, reservedForRevoke, table: restored, former, kept } = props;
    const { stage, functionSeconds: timeoutSeconds } = installation.settings;
    const name = (what: string) => `${stage}-rekey-${what}`;
    // Named, not referred to: the functions know the workflows and the workflows know the functions.
    const workflowArn = (workflow: WorkflowName) =>
      `arn:${this.partition}:states:${this.region}:${this.account}:stateMachine:${name(workflow)}`;
    const key = operationsKey(this, name);
    const deadLetters = new DeadLetters(this, 'DeadLetters', name('undelivered'), key);
    const grounds: Grounds = {
      stage,
      inventory: new InventoryTable(this, 'Inventory', { tableName: name('inventory'), kept, restored, former }),
      secrets: new SecretPrefix(this, 'Secrets', { stage, kept }),
      topics: new Topics(this, 'Topics', name, key, props.consumerAccounts),
      workflows: { rotate: workflowArn('rotate'), revoke: workflowArn('revoke') },
      delivers,
      apiGateway: installation.apiGateway,
    };

    const ofStep = new Map(
      steps.map(({ state, entry, may }) => {
        const functionName = name(`step-${state.toLowerCase()}`);
        const reserved = ['Accept', 'Disable'].includes(state) ? reservedForRevoke : undefined;
        const props = { functionName, code: code(entry), timeoutSeconds, may, grounds, logKey: key, reserved };
        return [state, new StepFunction(this, `Step-${state}`, props).lambda];
      }),
    );
    const ofDoor = Object.fromEntries(
      doors.map(({ name: door, entry, timeoutSeconds, may }) => {
        const functionName = name(door.toLowerCase());
        const reserved = door === 'Intake' ? reservedForRevoke : undefined;
        const props = { functionName, code: code(entry), timeoutSeconds, may, grounds, logKey: key, reserved };
        return [door, new StepFunction(this, door, props)];
      }),
    ) as Record<Door['name'], StepFunction>;

    const workflow = (of: WorkflowName) => {
      const rows = steps.filter(({ workflows }) => workflows.includes(of));
      const functions = new Map(rows.map(({ state }) => [state, ofStep.get(state) as LambdaFunction]));
      return new Workflow(this, `Workflow-${of}`, { workflow: of, stateMachineName: name(of), functions, key }).stateMachine;
    };
    workflow('rotate');
    const revoke = workflow('revoke');

    const { Sweep, Reconcile, Operate, Intake, Report, AwsEvent, Acknowledge, Channels } = ofDoor;
    new Schedules(this, 'Schedules', {
      name,
      settings: installation.settings,
      sweep: Sweep.lambda,
      reconcile: Reconcile.lambda,
      deadLetters,
    });
    new AwsEvents(this, 'AwsEvents', { name, lambda: AwsEvent.lambda, deadLetters });
    new PageChannels(this, 'Channels-of-people', { pages: grounds.topics.pages, lambda: Channels.lambda, deadLetters });
    const api = new Api(this, 'Api', {
      name,
      functions: { operate: Operate.lambda, intake: Intake.lambda, report: Report.lambda, acknowledge: Acknowledge.lambda },
      logKey: key,
    });
    new CfnOutput(this, 'ApiUrl', { value: api.url });
    new CfnOutput(this, 'TopicArn', { value: grounds.topics.notices.topicArn });
    new CfnOutput(this, 'EmergenciesTopicArn', { value: grounds.topics.emergencies.topicArn });
    new CfnOutput(this, 'PagesTopicArn', { value: grounds.topics.pages.topicArn });
    new CfnOutput(this, 'SecretPrefix', { value: grounds.secrets.prefix });
    new People(this, 'People', {
      stage,
      api,
      revoke: workflowArn('revoke'),
      secrets: grounds.secrets,
      authority: installation.policy.authority,
    });
    const { all: alarms } = new Alarms(this, 'Alarms', {
      name,
      settings: installation.settings,
      pages: grounds.topics.pages,
      revoke,
      apiId: api.id,
      undelivered: deadLetters.queue,
    });
    const killPath = [Intake.lambda, ...['Accept', 'Disable', 'Validate'].map((state) => ofStep.get(state) as LambdaFunction)];
    new Dashboard(this, 'Overview', { name, stage, alarms, killPath, undelivered: deadLetters.queue, apiId: api.id });
    const most = { name, grounds, deadLettersArn: deadLetters.queue.queueArn, operationsKeyArn: key.keyArn };
    PermissionsBoundary.of(this).apply(boundary(this, most));
    this.node.addValidation({ validate: () => brokenRules(this, installation, grounds) });
  }
}
