import { Duration } from 'aws-cdk-lib';
import { Metric as CloudWatchMetric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Tier } from '../core/key.ts';
import { type Metric, metricNamespace } from '../core/metric.ts';

/** Where a metric of ours is found: every one under its stage, those about keys under the tier as well. */
export interface MeasuredAt {
  readonly stage: string;
  readonly tier?: Tier;
}

/** One of our own metrics, under the name and the dimensions that the functions write. */
export function measured(metricName: Metric, { stage, tier }: MeasuredAt, options: MetricOptions): CloudWatchMetric {
  return new CloudWatchMetric({
    namespace: metricNamespace,
    metricName,
    dimensionsMap: { stage, ...(tier ? { tier } : {}) },
    ...options,
  });
}

/** How many requests the HTTP API answered with a status of a class, in five minutes; as API Gateway itself counts them. */
export function answered(metricName: '4xx' | '5xx', apiId: string): CloudWatchMetric {
  const period = Duration.minutes(5);
  return new CloudWatchMetric({ namespace: 'AWS/ApiGateway', metricName, dimensionsMap: { ApiId: apiId }, statistic: 'Sum', period });
}
