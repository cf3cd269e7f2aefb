import type { Behaviour, Fault } from '../sandbox/behaviour.ts';
import type { LogLine } from '../sandbox/journal.ts';
import { DemoFailed } from './failed.ts';

/** The vendor's side of the stage: its own request log, its console, and its faults. */
export interface VendorClient {
  readonly url: string;
  /** Every request it ever got, oldest first. */
  log(): Promise<readonly LogLine[]>;
  behave(change: Partial<Behaviour>): Promise<void>;
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Makes a key by hand in the vendor's console, as people do before they have Rekey. */
  makeByHand(principal: string): Promise<{ readonly id: string; readonly value: string }>;
}

export function vendorClient(url: string, adminKey: string): VendorClient {
  const lines: LogLine[] = [];

  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${url}/_sandbox${path}`, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new DemoFailed(`the vendor's console answered ${response.status} to ${method} ${path}`);
    return response.status === 204 ? undefined : await response.json();
  }

  return {
    url,
    async log() {
      const more = (await call('GET', `/log?since=${lines.length}`)) as { lines: LogLine[] };
      lines.push(...more.lines);
      return lines;
    },
    behave: async (change) => void (await call('PATCH', '/behaviour', change)),
    fault: async (fault) => void (await call('POST', '/faults', fault)),
    clearFaults: async () => void (await call('DELETE', '/faults')),
    makeByHand: async (principal) => (await call('POST', '/strangers', { principal })) as { id: string; value: string },
  };
}
