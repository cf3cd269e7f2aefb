/** The environment variables of every function: written by infra and read by functions/compose.ts through these names only. */
export const environment = {
  table: 'REKEY_TABLE',
  topic: 'REKEY_TOPIC_ARN',
  emergencies: 'REKEY_EMERGENCIES_ARN',
  pages: 'REKEY_PAGES_ARN',
  prefix: 'REKEY_SECRET_PREFIX',
  rotateWorkflow: 'REKEY_ROTATE_ARN',
  revokeWorkflow: 'REKEY_REVOKE_ARN',
} as const;
