import type { Right } from '../workflows/steps.ts';

/** What a function may touch beyond the words of the step table: the indexes of the inventory, how an execution stands, the records of orphans that are gone, and what a restored table asks for. */
export type DoorRight =
  | Right
  | 'hints.read'
  | 'former.read'
  | 'executions.look'
  | 'orphans.forget'
  | 'restored.end'
  | 'senders.read'
  | 'channels.read';

/** A function that is no step: the schedule or a caller starts it. */
export interface Door {
  readonly name: 'Sweep' | 'Reconcile' | 'Operate' | 'Intake' | 'Report' | 'AwsEvent' | 'Acknowledge' | 'Channels';
  readonly entry: string;
  readonly timeoutSeconds: number;
  /** `api`: the HTTP API, which takes signed requests only, or whose sender signs the body. `bus`: events of AWS itself. `pages`: the topic for people. */
  readonly opensTo: 'schedule' | 'api' | 'bus' | 'pages';
  readonly may: readonly DoorRight[];
}

/** The longest that an HTTP API waits for a function: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html says 30 s, CloudFormation takes 29. */
export const apiSeconds = 29;

/** THE TABLE of the functions that are no step. */
export const doors: readonly Door[] = [
  {
    name: 'Sweep',
    entry: 'functions/sweep.ts',
    timeoutSeconds: 300,
    opensTo: 'schedule',
    may: ['hints.read', 'executions.rotate'],
  },
  {
    name: 'Reconcile',
    entry: 'functions/reconcile.ts',
    timeoutSeconds: 300,
    opensTo: 'schedule',
    may: [
      'hints.read',
      'orphans.forget',
      'provider.list',
      'provider.disable',
      'provider.delete',
      'secrets.read',
      'secrets.write',
      'secrets.label',
      'fingerprints.make',
      'destinations.read',
      'destinations.write',
      'notices.publish',
      'executions.rotate',
      'executions.revoke',
      'executions.look',
      'executions.answer',
    ],
  },
  {
    name: 'Operate',
    entry: 'functions/operate.ts',
    timeoutSeconds: apiSeconds,
    opensTo: 'api',
    may: [
      'hints.read',
      'former.read',
      'restored.end',
      'fingerprints.make',
      'provider.list',
      'secrets.read',
      'secrets.label',
      'destinations.read',
      'notices.publish',
      'executions.rotate',
      'executions.answer',
    ],
  },
  {
    name: 'Intake',
    entry: 'functions/intake.ts',
    timeoutSeconds: apiSeconds,
    opensTo: 'api',
    may: ['hints.read', 'fingerprints.make', 'provider.list', 'provider.disable', 'executions.revoke'],
  },
  {
    name: 'Report',
    entry: 'functions/report.ts',
    timeoutSeconds: apiSeconds,
    opensTo: 'api',
    may: ['hints.read', 'senders.read', 'fingerprints.make', 'provider.list', 'provider.disable', 'executions.revoke', 'executions.rotate'],
  },
  {
    name: 'AwsEvent',
    entry: 'functions/aws-event.ts',
    timeoutSeconds: 60,
    opensTo: 'bus',
    may: ['fingerprints.make', 'provider.list', 'provider.disable', 'executions.revoke', 'executions.rotate'],
  },
  {
    name: 'Acknowledge',
    entry: 'functions/acknowledge.ts',
    timeoutSeconds: apiSeconds,
    opensTo: 'api',
    may: ['secrets.read', 'notices.publish', 'executions.answer'],
  },
  // It passes on what people are told, and knows nothing of the inventory.
  { name: 'Channels', entry: 'functions/channels.ts', timeoutSeconds: 60, opensTo: 'pages', may: ['channels.read'] },
];
