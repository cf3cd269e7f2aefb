/** What is left of an error of the AWS SDK once everything that could quote a request or a response is dropped. */
export interface AwsFailure {
  /** AWS's error code (`ThrottlingException`), or the SDK's own (`TimeoutError`) when there was no answer. */
  readonly code: string;
  /** HTTP status of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** No answer, 5xx or throttled: the same call may succeed later, and whether this one took effect is unknown. */
  readonly transient: boolean;
  /** Code and status, safe to show: `ThrottlingException 400`. */
  readonly text: string;
}

/** Reduces an error of an SDK call to its code and status. The error itself must not travel on: its message and `$response` may hold a body. */
export function awsFailure(error: unknown): AwsFailure {
  const { name, $metadata } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    $metadata?: { httpStatusCode?: unknown };
  };
  const code = typeof name === 'string' && /^[A-Za-z0-9.]{1,64}$/.test(name) ? name : 'Unknown';
  const answered = $metadata?.httpStatusCode;
  // A 2xx here means that the answer could not be read: the call may well have taken effect.
  const status = typeof answered === 'number' ? answered : undefined;
  const transient = status === undefined || status < 400 || status >= 500 || status === 429 || throttled.has(code);
  return { code, status, transient, text: status === undefined ? code : `${code} ${status}` };
}

// The codes by which AWS services say "slow down" with a status of 400 or 403: the SDK's list of throttling errors, without
// LimitExceededException, which in IAM and Parameter Store means a quota.
const throttled = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);
