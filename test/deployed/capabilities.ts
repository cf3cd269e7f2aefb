/** What an endpoint must do for a journey to show anything. */
export type Capability =
  | 'functions'
  | 'http-api'
  | 'iam-enforced'
  | 'signatures'
  | 'tls-only'
  | 'scheduler'
  | 'task-tokens'
  | 'transactions'
  | 'sns-filter'
  | 'secret-labels'
  | 'sts-inactive'
  | 'two-keys'
  | 'alarms'
  | 'deletion-protection'
  | 'retain';
