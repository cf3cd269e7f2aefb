import type { Change, Write } from '../../core/inventory.ts';
import type { DestinationSpec } from '../../core/key.ts';
import type { Log, LogFields, Ports } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';
import { fileLog } from '../../local/file-log.ts';
import type { Oracle } from './oracle.ts';
import { type CallName, isWrite, never, reads, sleep, type Worker, type WriteName, writes } from './worker.ts';

/** One call of a port, about to be made. */
export interface Call {
  readonly worker: Worker;
  readonly name: CallName;
  readonly args: readonly unknown[];
  /** Makes the call; what it does takes effect now. */
  readonly land: () => Promise<unknown>;
}

/** Where calls come by: what becomes of each, and who takes note. */
export interface Gate {
  readonly oracle: Oracle;
  /** What happens to a call: its result, an error, a pause, or nothing ever again. */
  pass(call: Call): Promise<unknown>;
  /** Called when an external write outside the inventory has taken effect. */
  landed(worker: Worker, name: WriteName, args: readonly unknown[], result: unknown): void;
  /** Seconds that a write takes to arrive. */
  latencySeconds(): number;
  staleIndexSeconds(): number;
  /** Whether nothing can be written to the log. */
  logIsFull(): boolean;
  /** Who made a write of the inventory, by the array of writes or the change that it carries. */
  readonly makers: WeakMap<object, Worker>;
}

const known = new Set<string>([...writes, ...reads]);

/** What ports have besides: made without a call, or, like the index, with a fault of its own. */
const harmless = new Set([
  'inventory.hints',
  'inventory.table',
  'provider.draw',
  'provider.neverIssued',
  'provider.leakForms',
  'provider.credentialIdOf',
]);

/** The ports as one worker has them: every call goes through the gate, and an ended worker's calls never return. */
export function watched(bare: Ports, worker: Worker, gate: Gate): Ports {
  const guard = <T extends object>(port: string, target: T): T =>
    new Proxy(target, {
      get(object, member) {
        const method: unknown = Reflect.get(object, member);
        const name = `${port}.${String(member)}`;
        if (typeof method !== 'function') return method;
        if (harmless.has(name)) return method.bind(object);
        if (!known.has(name)) throw new TypeError(`the simulation does not know ${name}: list it in worker.ts as a write or as a read`);
        return (...args: unknown[]) => made(worker, name as CallName, args, () => method.apply(object, args) as Promise<unknown>, gate);
      },
    });
  // Every port by its name: one that the core gets and the simulation does not know fails the build here.
  return {
    inventory: guard('inventory', {
      ...bare.inventory,
      hints: (index, upTo, behind) =>
        bare.inventory.hints(index, upTo && new Date(Date.parse(upTo) - gate.staleIndexSeconds() * 1000).toISOString(), behind),
    }),
    secrets: guard('secrets', bare.secrets),
    provider: (name) => guard('provider', bare.provider(name)),
    providers: () => bare.providers(),
    destination: (kind) => guard('destination', bare.destination(kind)),
    notifier: guard('notifier', bare.notifier),
    pager: guard('pager', bare.pager),
    executions: guard('executions', bare.executions),
    seals: bare.seals,
    clock: { now: () => bare.clock.now() + worker.skewMs },
    randomId: () => bare.randomId(),
    fingerprint: (value) => bare.fingerprint(value),
    log: logOf(gate),
    settings: bare.settings,
    policy: bare.policy,
  };
}

async function made(worker: Worker, name: CallName, args: readonly unknown[], go: () => Promise<unknown>, gate: Gate): Promise<unknown> {
  if (isOver(worker)) return never();
  if (name === 'inventory.write') gate.makers.set(args[0] as readonly Write[], worker);
  if (name === 'inventory.update') gate.makers.set(args[1] as Change, worker);
  const land = async () => {
    if (isWrite(name)) await sleep(gate.latencySeconds());
    const result = await go();
    if (isWrite(name) && !name.startsWith('inventory.')) gate.landed(worker, name, args, result);
    return result;
  };
  worker.outstanding += 1;
  try {
    return await gate.pass({ worker, name, args, land });
  } catch (error) {
    gate.oracle.said.push(`${(error as Error).name}: ${(error as Error).message}`);
    throw error;
  } finally {
    worker.outstanding -= 1;
    // An ended function hears no answer.
    if (isOver(worker)) await never();
  }
}

const isOver = (worker: Worker): boolean => worker.gone || Date.now() > worker.endsAt;

/** Lines are kept for the scan; while nothing can be written they go to the real log of local mode, on a disk that takes nothing. */
function logOf(gate: Gate): Log {
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void => {
      if (gate.logIsFull()) full[level](message, fields);
      else gate.oracle.said.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    };
  return {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    measure: (...measured) => gate.logIsFull() && full.measure(...measured),
  };
}

const full = fileLog('/dev/full/rekey.log');

/** What a write acts on, in a word. */
export function targetOf(name: WriteName, args: readonly unknown[], result: unknown): string {
  if (name === 'provider.create') return (result as { credentialId: string }).credentialId;
  if (name === 'provider.disable' || name === 'provider.delete') return String(args[1]);
  if (name === 'destination.write') return (args[0] as DestinationSpec).at;
  if (name === 'secrets.put' || name === 'secrets.promote' || name === 'secrets.strip') return String(args[1]);
  return '';
}

/** The value that a destination was given. */
export const valueWritten = (args: readonly unknown[]): Value => args[1] as Value;
