import { join } from 'node:path';

/** Where local mode keeps what, under one folder (`.rekey` unless said otherwise). All of it is readable by its owner only. */
export function localFiles(folder: string) {
  return {
    /** `{url, token, pid, startedAt}` of the running instance; the command line finds it here. */
    running: join(folder, 'local.json'),
    /** The engine's database and process id. */
    inventory: folder,
    /** Encrypted values of keys, and the key that opens them. */
    secrets: join(folder, 'secrets'),
    masterKey: join(folder, 'master.key'),
    /** Keys the fingerprints. */
    pepper: join(folder, 'pepper'),
    /** `<provider>/<account>.json`: credentials that mint and disable keys. */
    admin: join(folder, 'admin'),
    /** `<sender>`: what senders of reports sign with. */
    senders: join(folder, 'senders'),
    /** `pagerduty`, `slack`: what the channels to people need. */
    channels: join(folder, 'channels'),
    /** `<consumer>.token`: who can read it is that consumer. */
    consumers: join(folder, 'consumers'),
    /** Seals of the audit chains, to be copied elsewhere; and the key that signs them. */
    seals: join(folder, 'seals'),
    sealKey: join(folder, 'seal.key'),
    /** The policy as it was when it was last good. */
    lastGoodPolicy: join(folder, 'policy.last-good.yaml'),
    notices: join(folder, 'notices.jsonl'),
    log: join(folder, 'rekey.log'),
    sandbox: join(folder, 'sandbox.jsonl'),
  } as const;
}

/** What `running` holds. */
export interface RunningInstance {
  readonly url: string;
  /** The operator's bearer token. */
  readonly token: string;
  readonly pid: number;
  readonly startedAt: string;
  /** Where the sandbox vendor listens, where there is one. */
  readonly sandboxUrl?: string;
}
