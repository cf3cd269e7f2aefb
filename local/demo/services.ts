import { join } from 'node:path';
import type { Consumer } from '../../core/consumer.ts';

/** One service process, as the demo sees it from outside: what it printed last. */
export interface Service {
  readonly name: string;
  readonly keyId: string;
  /** `working`, `refused`, `waiting`, `vendor away`, or nothing yet. */
  state(): string;
  /** When it last said that it stopped using the key, in milliseconds since 1970. */
  stoppedAt(): number | undefined;
}

/** How long a service takes to pick up a new value, as a part of the refresh time that its owner registered. */
const share = 0.75;

/** Starts the process of a consumer. It is given its name, its token file, the one file it may read, and two addresses. */
export function startService(options: {
  readonly consumer: Consumer;
  readonly keyId: string;
  readonly workspace: string;
  readonly rekeyUrl: string;
  readonly vendorUrl: string;
  readonly begin: (name: string, file: string, args: readonly string[], onLine: (line: string) => void) => void;
}): Service {
  const { consumer, keyId, workspace, rekeyUrl, vendorUrl, begin } = options;
  let state = '';
  let stoppedAt: number | undefined;
  const args = {
    name: consumer.name,
    key: keyId,
    file: valueFile(workspace, consumer.name),
    'token-file': join(workspace, '.rekey', 'consumers', `${consumer.name}.token`),
    rekey: rekeyUrl,
    vendor: vendorUrl,
    delay: String(Math.round(consumer.refreshSeconds * share * 1000)),
  };
  begin(
    `the service ${consumer.name}`,
    join(import.meta.dirname, 'service.ts'),
    Object.entries(args).flatMap(([name, text]) => [`--${name}`, text]),
    (line) => {
      const { what } = JSON.parse(line) as { what: string };
      if (what === 'stopped') stoppedAt = Date.now();
      if (['working', 'refused', 'waiting', 'vendor away'].includes(what)) state = what;
    },
  );
  return { name: consumer.name, keyId, state: () => state, stoppedAt: () => stoppedAt };
}

/** Where a service finds its key: the destination of the same name in the key's file. */
export function valueFile(workspace: string, consumer: string): string {
  return join(workspace, 'services', consumer, 'key');
}
