/** What CloudWatch makes of log lines and of an alarm, after its documentation; for the parts that our alarms use, and no more. */
export interface Datapoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

/** An alarm as the template has it. */
export interface AlarmProperties {
  readonly AlarmName: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Statistic: 'Sum' | 'Maximum' | 'Minimum' | 'SampleCount';
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly Threshold: number;
  readonly ComparisonOperator: 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold';
  readonly TreatMissingData: 'breaching' | 'notBreaching';
}

interface Embedded {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

/** The datapoints that log lines in the embedded metric format stand for. Throws for a line that CloudWatch would not extract. */
export function extracted(lines: readonly string[]): Datapoint[] {
  return lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Embedded)
    .flatMap((line) =>
      (line._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) =>
        Dimensions.flatMap((names) =>
          Metrics.map(({ Name }): Datapoint => {
            const value = line[Name];
            if (typeof value !== 'number') throw new Error(`${Name} is no number in its line`);
            const dimensions = Object.fromEntries(names.map((name) => [name, textOf(line, name)]));
            return { at: line._aws?.Timestamp ?? 0, namespace: Namespace, name: Name, dimensions, value };
          }),
        ),
      ),
    );
}

function textOf(line: Embedded, name: string): string {
  const text = line[name];
  if (typeof text !== 'string' || !/^[\x20-\x7e]{1,1024}$/.test(text))
    throw new Error(`dimension ${name} is no text that CloudWatch takes`);
  return text;
}

/** Whether a datapoint is of the metric that an alarm watches: the same namespace, name and set of dimensions. */
export function isWatched(alarm: AlarmProperties, { namespace, name, dimensions }: Datapoint): boolean {
  const wanted = Object.fromEntries(alarm.Dimensions.map(({ Name, Value }) => [Name, Value]));
  const same =
    Object.keys(wanted).length === Object.keys(dimensions).length && Object.entries(dimensions).every(([k, v]) => wanted[k] === v);
  return namespace === alarm.Namespace && name === alarm.MetricName && same;
}

/** The state of an alarm at an instant: ALARM when each of its last periods breaches. `now` in milliseconds since 1970. */
export function stateOf(alarm: AlarmProperties, datapoints: readonly Datapoint[], now: number): 'OK' | 'ALARM' {
  const watched = datapoints.filter((datapoint) => isWatched(alarm, datapoint));
  const periodMilliseconds = alarm.Period * 1000;
  const breaching = Array.from({ length: alarm.EvaluationPeriods }, (_, back) => {
    const end = now - back * periodMilliseconds;
    const values = watched.filter(({ at }) => at > end - periodMilliseconds && at <= end).map(({ value }) => value);
    if (values.length === 0) return alarm.TreatMissingData === 'breaching';
    const seen = statistics[alarm.Statistic](values);
    return alarm.ComparisonOperator === 'LessThanThreshold' ? seen < alarm.Threshold : seen >= alarm.Threshold;
  });
  return breaching.every(Boolean) ? 'ALARM' : 'OK';
}

const statistics: Readonly<Record<AlarmProperties['Statistic'], (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  SampleCount: (values) => values.length,
};
