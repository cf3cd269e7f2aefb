import type { Ports } from '../../core/ports.ts';
import type { Right } from '../../workflows/steps.ts';

/** Which right each call of a port needs; a call that is not listed needs none. */
const needs: Readonly<Record<string, Right>> = {
  'secrets.read': 'secrets.read',
  'secrets.put': 'secrets.write',
  'secrets.promote': 'secrets.label',
  'secrets.strip': 'secrets.label',
  'provider.create': 'provider.create',
  'provider.list': 'provider.list',
  'provider.lastUsed': 'provider.list',
  'provider.disable': 'provider.disable',
  'provider.delete': 'provider.delete',
  'provider.endSessions': 'provider.endSessions',
  'destination.read': 'destinations.read',
  'destination.write': 'destinations.write',
  'notifier.publish': 'notices.publish',
  'pager.page': 'notices.publish',
  'executions.succeed': 'executions.answer',
  'executions.fail': 'executions.answer',
};

/** The ports as a step's function has them: a call that its row of the step table does not allow fails, as IAM would refuse it. */
export function limited(ports: Ports, may: readonly Right[]): Ports {
  function only<T extends object>(port: string, target: T): T {
    return new Proxy(target, {
      get(object, name) {
        const member = Reflect.get(object, name);
        const right = needs[`${port}.${String(name)}`];
        if (typeof member !== 'function') return member;
        if (!right || may.includes(right)) return member.bind(object);
        return async () => {
          allow(may, right, `${port}.${String(name)}`);
        };
      },
    });
  }
  return {
    ...ports,
    secrets: only('secrets', ports.secrets),
    provider: (name) => only('provider', ports.provider(name)),
    destination: (kind) => only('destination', ports.destination(kind)),
    notifier: only('notifier', ports.notifier),
    pager: only('pager', ports.pager),
    executions: {
      ...only('executions', ports.executions),
      start: async (workflow, payload) => {
        allow(may, `executions.${workflow}`, 'executions.start');
        await ports.executions.start(workflow, payload);
      },
    },
    fingerprint: async (value) => {
      allow(may, 'fingerprints.make', 'fingerprint');
      return ports.fingerprint(value);
    },
  };
}

function allow(may: readonly Right[], right: Right, call: string): void {
  if (!may.includes(right)) throw new NotAllowed(`${call} needs the right ${right}`);
}

class NotAllowed extends Error {
  override readonly name = 'NotAllowed';
}
