/**
 * The names under the secret prefix. The functions read and write by these names and the stack grants by them, so that
 * "may read values" and "may read an admin credential" are two different rights.
 */
export const secretNames = {
  /** Begins the name of every key's secret; the key id follows. */
  keys: (prefix: string) => `${prefix}key/`,
  /** Begins the name of every admin credential; `<provider>/<account>` follows. */
  admins: (prefix: string) => `${prefix}admin/`,
  admin: (prefix: string, provider: string, account: string) => `${prefix}admin/${provider}/${account}`,
  /** Begins the name of every sender's secret; `<name>` follows. */
  senders: (prefix: string) => `${prefix}sender/`,
  sender: (prefix: string, name: string) => `${prefix}sender/${name}`,
  /** Begins the name of the secret of every channel to people; `pagerduty` or `slack` follows. */
  channels: (prefix: string) => `${prefix}channel/`,
  channel: (prefix: string, name: string) => `${prefix}channel/${name}`,
  /** Keys the fingerprints of the whole installation. */
  pepper: (prefix: string) => `${prefix}pepper`,
  /** The KMS key that encrypts every secret under the prefix. */
  encryptionAlias: (stage: string) => `alias/${stage}-rekey-secrets`,
} as const;
