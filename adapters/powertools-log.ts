import { Logger } from '@aws-lambda-powertools/logger';
import { type MeasuredOf, type Measures, type Metric, metricNamespace, metrics } from '../core/metric.ts';
import type { Log, LogFields } from '../core/ports.ts';

/** Longest message and longest field, in characters: a log line is for ids, numbers and reasons. */
const messageLimit = 1000;
const fieldLimit = 300;

/**
 * Structured log lines in JSON on stdout, one per call; fields are under `detail`, out of reach of Powertools' own names.
 * Measures are lines in CloudWatch's embedded metric format, from which metrics are made without a call.
 * Control and direction characters appear as `\uXXXX`, so that no field can forge a line or repaint a terminal. Events are never logged.
 */
export function powertoolsLog(stage: string, service = 'rekey'): Log {
  const logger = new Logger({ serviceName: service });
  return {
    info: (message, fields) => logger.info(clean(message, messageLimit), detail(fields)),
    warn: (message, fields) => logger.warn(clean(message, messageLimit), detail(fields)),
    error: (message, fields) => logger.error(clean(message, messageLimit), detail(fields)),
    measure: (values, of = {}) => void process.stdout.write(`${JSON.stringify(embedded(stage, values, of))}\n`),
  };
}

/** CloudWatch embedded metric format, "Specification: CloudWatch embedded metric format". `Timestamp` in milliseconds since 1970. */
function embedded(stage: string, values: Measures, { tier, provider }: MeasuredOf): object {
  const dimensions = {
    stage,
    ...(tier ? { tier } : {}),
    ...(tier && provider ? { provider: clean(provider, fieldLimit) } : {}),
  };
  const names = Object.keys(dimensions);
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: metricNamespace,
          Dimensions: names.map((_, last) => names.slice(0, last + 1)),
          Metrics: Object.keys(values).map((name) => ({ Name: name, Unit: metrics[name as Metric] })),
        },
      ],
    },
    ...dimensions,
    ...values,
  };
}

function detail(fields: LogFields = {}): { detail: Record<string, string | number | boolean | undefined> } {
  const cleaned = Object.entries(fields).map(([name, field]) => [
    clean(name, fieldLimit),
    typeof field === 'string' ? clean(field, fieldLimit) : field,
  ]);
  return { detail: Object.fromEntries(cleaned) };
}

// C0, DEL, C1, soft and zero-width marks, line separators, direction overrides and isolates.
const unseen = /[\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function clean(text: string, limit: number): string {
  const short = text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
  return short.replace(unseen, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
