import type { Right } from '../workflows/steps.ts';

/** What a function may touch beyond the words of the step table: the indexes of the inventory, and the pepper of the fingerprints. */
export type DoorRight = Right | 'hints.read' | 'fingerprints.make';

/** A function that is no step: the schedule or a caller starts it. */
export interface Door {
  readonly name: 'Sweep' | 'Reconcile' | 'Operate' | 'Intake' | 'Acknowledge';
  readonly entry: string;
  readonly timeoutSeconds: number;
  /** `url`: a Function URL that takes signed requests of this account only. */
  readonly opensTo: 'schedule' | 'url';
  readonly may: readonly DoorRight[];
}

/** THE TABLE of the functions that are no step. */
export const doors: readonly Door[] = [
  {
    name: 'Sweep',
    entry: 'functions/sweep.ts',
    timeoutSeconds: 300,
    opensTo: 'schedule',
    may: ['hints.read', 'executions.start'],
  },
  {
    name: 'Reconcile',
    entry: 'functions/reconcile.ts',
    timeoutSeconds: 300,
    opensTo: 'schedule',
    may: [
      'hints.read',
      'fingerprints.make',
      'provider.list',
      'provider.disable',
      'provider.delete',
      'secrets.read',
      'secrets.label',
      'destinations.read',
      'destinations.write',
      'notices.publish',
      'executions.start',
      'executions.answer',
    ],
  },
  {
    name: 'Operate',
    entry: 'functions/operate.ts',
    timeoutSeconds: 60,
    opensTo: 'url',
    may: [
      'hints.read',
      'fingerprints.make',
      'provider.list',
      'provider.disable',
      'secrets.read',
      'secrets.label',
      'destinations.read',
      'notices.publish',
      'executions.start',
      'executions.answer',
    ],
  },
  {
    name: 'Intake',
    entry: 'functions/intake.ts',
    timeoutSeconds: 60,
    opensTo: 'url',
    may: ['hints.read', 'fingerprints.make', 'provider.disable', 'executions.start'],
  },
  {
    name: 'Acknowledge',
    entry: 'functions/acknowledge.ts',
    timeoutSeconds: 60,
    opensTo: 'url',
    may: ['secrets.read', 'notices.publish', 'executions.answer'],
  },
];
