import type { Outgoing } from '../../adapters/providers/egress.ts';
import { type HttpProviderOptions, httpProvider } from '../../adapters/providers/http.ts';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

export interface Scripted {
  readonly provider: Provider;
  /** Every request in order, as `METHOD url`, with its headers and body. */
  readonly sent: Outgoing[];
  /** The answers still to come. */
  script: { status: number; json?: unknown; headers?: Record<string, string> }[];
}

/** A provider of a spec whose vendor answers from a script, in this process. What the script does not have is a 599. */
export function scripted(
  yaml: string,
  admin: Record<string, string> = { apiKey: 'admin-secret' },
  more: Partial<HttpProviderOptions> = {},
): Scripted {
  const spec = loadSpec(yaml, 'vendor.yaml', { allowLoopback: true });
  const sent: Outgoing[] = [];
  const state: { script: Scripted['script'] } = { script: [] };
  const provider = httpProvider({
    spec,
    admin: async () => Object.fromEntries(Object.entries(admin).map(([name, text]) => [name, new Value(text)])),
    callSeconds: 5,
    send: async (outgoing) => {
      sent.push(outgoing);
      const { status, json, headers = {} } = state.script.shift() ?? { status: 599 };
      return { status, headers, text: json === undefined ? '' : JSON.stringify(json), json };
    },
    ...more,
  });
  return {
    provider,
    sent,
    get script() {
      return state.script;
    },
    set script(next) {
      state.script = next;
    },
  };
}

/** Each request as one line. */
export const lines = (sent: readonly Outgoing[]): string[] => sent.map(({ method, url }) => `${method} ${url.href}`);
