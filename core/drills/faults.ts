import { commit } from '../commit.ts';
import { DestinationUnavailable, ProviderUnavailable, type RekeyError } from '../errors.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';

/** One thing that goes wrong once in a drill: at a step, at a call of a port, with the error that the product knows for it. */
interface Fault {
  readonly says: string;
  readonly step: string;
  readonly at: 'provider.list' | 'provider.disable' | 'provider.probe' | 'destination.write' | 'secrets.read' | 'notifier.publish';
  readonly error: (message: string) => RekeyError;
}

const unanswered = (message: string): RekeyError => new ProviderUnavailable(message);
const undelivered = (message: string): RekeyError => new DestinationUnavailable(message);

/** The faults of drills, one for each; a canary's drills go round. Each is met by every provider. */
export const drillFaults: Readonly<Record<string, Fault>> = {
  'disable-unanswered': { says: 'the provider does not answer the disable', step: 'disable', at: 'provider.disable', error: unanswered },
  'probe-unanswered': { says: 'the provider does not answer the first probe', step: 'validate', at: 'provider.probe', error: unanswered },
  'list-unanswered': { says: 'the provider does not list before the mint', step: 'issue', at: 'provider.list', error: unanswered },
  'notice-unsent': { says: 'a notice cannot be sent', step: 'disable', at: 'notifier.publish', error: undelivered },
  'write-refused': { says: 'a destination takes no write', step: 'distribute', at: 'destination.write', error: undelivered },
  'value-unread': { says: 'the secret store does not answer', step: 'distribute', at: 'secrets.read', error: undelivered },
};

/** The fault of a canary's n-th drill, from 1. */
export function faultOf(number: number): string {
  const names = Object.keys(drillFaults);
  return names[(number - 1) % names.length] as string;
}

/** The ports of one attempt of a step: as they are, unless a drill of this canary still owes its fault to this step. */
export function withFault(ports: Ports, { facts, drill }: Key, step: string): Ports {
  const fault = facts.canary && drill && drill.metAt === null ? drillFaults[drill.fault] : undefined;
  if (!fault || !drill || fault.step !== step) return ports;
  let met = false;
  const meet = async () => {
    if (met) return;
    met = true;
    const now = instant(ports.clock.now());
    await commit(ports, facts.id, (key) =>
      key.drill?.id === drill.id
        ? {
            actor: `step:${step}`,
            set: { drill: { ...key.drill, metAt: now } },
            events: [{ event: 'drill.fault', detail: { drill: drill.id, fault: drill.fault } }],
          }
        : null,
    );
    throw fault.error(`drill ${drill.id}: ${fault.says}`);
  };
  const [port, call] = fault.at.split('.') as [string, string];
  const failing = <T extends object>(name: string, target: T): T => (name === port ? before(target, call, meet) : target);
  return {
    ...ports,
    provider: (name) => failing('provider', ports.provider(name)),
    destination: (kind) => failing('destination', ports.destination(kind)),
    secrets: failing('secrets', ports.secrets),
    notifier: failing('notifier', ports.notifier),
  };
}

/** The same object, with something that happens before one of its calls. */
function before<T extends object>(target: T, call: string, happen: () => Promise<void>): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== 'function') return member;
      if (name !== call) return member.bind(object);
      return async (...given: readonly unknown[]) => {
        await happen();
        return Reflect.apply(member, object, given);
      };
    },
  });
}
