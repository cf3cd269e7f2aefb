/** One run of one function: an attempt of a step, a round of the reconciler or the schedule, a request, a receipt. */
export interface Worker {
  /** What it is, for people: `Issue`, `reconciler`, `revoke`. */
  readonly name: string;
  readonly operationId: string | null;
  /** Which execution of the operation it is an attempt of; 0 for whoever is none. */
  readonly startSeq: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** After this instant it does nothing any more: its function was ended. A pause lets it live as long as the in-flight bound allows. */
  endsAt: number;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** The fences it holds, by key, since it acquired them. */
  readonly fences: Map<string, number>;
  /** Effects that it has on record as intended and not yet as done or failed, by name. */
  readonly intended: string[];
  /** Calls it made that have not returned. */
  outstanding: number;
  /** It was ended from outside in the middle of its work. */
  gone: boolean;
}

/** Never settles: what a call of an ended worker returns. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** Real virtual time: nothing else passes. */
export const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The calls of the ports that change something outside the worker: the boundaries at which a fault can strike. */
export const writes = [
  'inventory.write',
  'inventory.update',
  'secrets.put',
  'secrets.promote',
  'secrets.strip',
  'provider.create',
  'provider.disable',
  'provider.delete',
  'provider.endSessions',
  'destination.write',
  'notifier.publish',
  'pager.page',
  'executions.start',
  'executions.succeed',
  'executions.fail',
] as const;

/** The calls that only look. */
export const reads = [
  'inventory.get',
  'inventory.list',
  'secrets.read',
  'secrets.labels',
  'provider.list',
  'provider.probe',
  'provider.lastUsed',
  'provider.find',
  'provider.read',
  'destination.read',
  'executions.state',
] as const;

export type WriteName = (typeof writes)[number];
export type CallName = WriteName | (typeof reads)[number];

export const isWrite = (name: CallName): name is WriteName => (writes as readonly string[]).includes(name);
