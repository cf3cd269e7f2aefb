/** What one run of something used, in the units that AWS bills. */
export interface Use {
  /** State transitions of Standard workflows; every attempt of a Task is one. */
  transitions: number;
  /** Function invocations. */
  invocations: number;
  /** DynamoDB write and read request units, on demand. */
  writeUnits: number;
  readUnits: number;
  /** API calls to Secrets Manager. */
  secretCalls: number;
  /** Requests to KMS for values: to read one is one, to write one two. What AWS keeps data keys for (table, topics, logs) asks too seldom to count. */
  kmsRequests: number;
  /** Messages published to SNS. */
  publishes: number;
}

export interface Bill {
  readonly what: string;
  readonly use: Use;
  readonly dollars: number;
}

/** List prices in us-east-1, in dollars, without any free tier. Source: the pricing page of each service. */
export const billed = {
  transition: 25 / 1e6,
  /** A request and 0.4 s of 512 MB on arm64: what a warm step takes, with room for a cold start now and then. */
  invocation: 0.2 / 1e6 + 0.4 * 0.5 * 0.0000133334,
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  secretCall: 0.05 / 1e4,
  kmsRequest: 0.03 / 1e4,
  publish: 0.5 / 1e6,
  /** Of EventBridge Scheduler. */
  firing: 1 / 1e6,
  secretMonth: 0.4,
  kmsKeyMonth: 1,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
} as const;

/** What a use costs. */
export function dollars(use: Use): number {
  return (
    use.transitions * billed.transition +
    use.invocations * billed.invocation +
    use.writeUnits * billed.writeUnit +
    use.readUnits * billed.readUnit +
    use.secretCalls * billed.secretCall +
    use.kmsRequests * billed.kmsRequest +
    use.publishes * billed.publish
  );
}

/** What of a stack is there all the time. */
export interface Standing {
  readonly kmsKeys: number;
  readonly alarms: number;
  readonly dashboards: number;
  readonly secrets: number;
  /** Series of metrics that get a value in every hour: each name in each of its sets of dimensions. */
  readonly metrics: number;
  /** Runs of the schedules in a month, and the read units of what they ask the indexes. */
  readonly firings: number;
  readonly readUnits: number;
}

/** What a stack costs in a month in which nothing happens. */
export function standingDollars({ kmsKeys, alarms, dashboards, secrets, metrics, firings, readUnits }: Standing): number {
  return (
    kmsKeys * billed.kmsKeyMonth +
    alarms * billed.alarmMonth +
    dashboards * billed.dashboardMonth +
    secrets * billed.secretMonth +
    metrics * billed.metricMonth +
    firings * (billed.firing + billed.invocation) +
    readUnits * billed.readUnit
  );
}
