import { DestinationUnavailable, InventoryUnavailable, ProviderUnavailable } from '../../core/errors.ts';
import type { Ports } from '../../core/ports.ts';

/** What goes wrong at one call of a port. */
export const faultKinds = ['error before', 'timeout after success', 'crash before', 'crash after', 'paused, then done late'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Every call that changes something outside the process, by port; the boundaries at which a fault can strike. */
const boundaries = {
  inventory: ['write', 'update'],
  secrets: ['put', 'promote', 'strip'],
  provider: ['create', 'disable', 'delete', 'endSessions'],
  destination: ['write'],
  notifier: ['publish'],
  executions: ['start', 'succeed', 'fail'],
} as const;

type PortName = keyof typeof boundaries;

export interface Strike {
  readonly kind: FaultKind;
  /** Which boundary call, counted from 1 once `arm` was called. */
  readonly at: number;
}

/** Counts boundary calls, and strikes at one of them. */
export interface Faults {
  readonly wrap: (ports: Ports) => Ports;
  /** From now on calls are counted and the strike may come. */
  arm(): void;
  /** Counts as armed, names in order. */
  readonly calls: readonly string[];
  /** The name of the call that was struck, or null. */
  struck(): string | null;
}

const errorOf: Record<PortName, () => Error> = {
  inventory: () => new InventoryUnavailable('injected'),
  secrets: () => new DestinationUnavailable('injected'),
  provider: () => new ProviderUnavailable('injected'),
  destination: () => new DestinationUnavailable('injected'),
  notifier: () => new DestinationUnavailable('injected'),
  executions: () => new DestinationUnavailable('injected'),
};

const never = () => new Promise<never>(() => undefined);

/** `pauseSeconds` is how long a paused worker sleeps: beyond the function's time-out, within the in-flight bound. */
export function faults(strike: Strike | null, pauseSeconds: number): Faults {
  const calls: string[] = [];
  let armed = false;
  let hit: string | null = null;

  function guarded<T extends object>(port: PortName, target: T): T {
    const methods: readonly string[] = boundaries[port];
    return new Proxy(target, {
      get(object, name, receiver) {
        const member = Reflect.get(object, name, receiver);
        if (typeof member !== 'function') return member;
        if (!methods.includes(String(name))) return member.bind(object);
        return async (...args: unknown[]) => {
          if (!armed) return member.apply(object, args);
          calls.push(`${port}.${String(name)}`);
          if (strike?.at !== calls.length) return member.apply(object, args);
          hit = `${port}.${String(name)}`;
          if (strike.kind === 'error before') throw errorOf[port]();
          if (strike.kind === 'crash before') return never();
          if (strike.kind === 'paused, then done late') await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
          const result = await member.apply(object, args);
          if (strike.kind === 'timeout after success') throw errorOf[port]();
          if (strike.kind === 'crash after') return never();
          return result;
        };
      },
    });
  }

  return {
    wrap: (ports) => ({
      ...ports,
      inventory: guarded('inventory', ports.inventory),
      secrets: guarded('secrets', ports.secrets),
      provider: (name) => guarded('provider', ports.provider(name)),
      destination: (kind) => guarded('destination', ports.destination(kind)),
      notifier: guarded('notifier', ports.notifier),
      executions: guarded('executions', ports.executions),
    }),
    arm() {
      armed = true;
    },
    calls,
    struck: () => hit,
  };
}
