import { receive } from '../../core/adoption.ts';
import { proofOf } from '../../core/challenge.ts';
import type { Notice } from '../../core/notice.ts';
import type { Ports } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import type { Switches } from './faults/fault.ts';
import type { KeyRecord, Oracle, Service } from './oracle.ts';
import type { Manner } from './plan.ts';
import type { Random } from './random.ts';
import { sleep } from './worker.ts';

/** A service of the world: hears notices, reads its destination, works with what it read, and proves by that. */
export interface Living {
  readonly service: Service;
  readonly keyId: string;
  /** Told by the vendor of notices: at least once, in any order. */
  hear(notice: Notice): void;
  /** Uses what it has, as it does all the time. */
  work(): void;
  /** From now on even a silent one answers. */
  wake(): void;
}

export interface Surroundings {
  readonly oracle: Oracle;
  readonly switches: Switches;
  readonly bare: Ports;
  readonly choose: Random;
  /** Ports for one request of a service to the installation's door. */
  readonly door: (name: string) => Ports;
}

/** How long services take until they use what their destination holds. */
const delaySeconds: Readonly<Record<Manner, number>> = { prompt: 2, slow: 5, polls: 2, quiet: 3, 'first-use': 3, silent: 2 };

/** How often a service sends its proof when nobody answers it. */
const tries = 6;

/** One consumer of a key, reading one of its destinations. */
export function service(record: KeyRecord, index: number, manner: Manner, around: Surroundings): Living {
  const { facts, provider } = record;
  const spec = facts.destinations[index % facts.destinations.length];
  const consumer = facts.consumers[index];
  if (!spec || !consumer) throw new Error('a planned key has destinations and consumers');
  const own: Service = { name: consumer.name, place: spec.at, using: null };
  const heard = new Set<string>();
  let value: Value | undefined;
  let awake = manner !== 'silent';
  let open: Notice | null = null;

  async function refresh(): Promise<void> {
    const held = await around.bare.destination(spec!.kind).read(spec!);
    if (!held) return;
    if (value && around.switches.staleCaches > 0 && around.choose.below(3) > 0) return;
    value = held;
    own.using = around.oracle.credentialOf.get(held.reveal()) ?? null;
  }

  async function prove(notice: Notice): Promise<void> {
    const { nonce, version } = notice.data;
    if (!nonce || version === undefined || manner === 'quiet' || manner === 'first-use') return;
    for (let attempt = 0; attempt < tries; attempt++) {
      if (!awake || around.switches.silentServices > 0) return;
      await refresh();
      if (!value) return;
      const signed = around.switches.wrongProofs > 0 ? new Value('something else') : value;
      const proof = proofOf(signed, notice.operationId, own.name, nonce);
      const receipt = { keyId: facts.id, operationId: notice.operationId, version, outcome: 'moved', nonce, proof } as const;
      const answer = receive(around.door(own.name), receipt, own.name).then(
        () => true,
        () => false,
      );
      if (await Promise.race([answer, sleep(4).then(() => false)])) {
        if (open === notice) open = null;
        return;
      }
      await sleep(3);
    }
  }

  async function act(notice: Notice): Promise<void> {
    await sleep(delaySeconds[manner]);
    await refresh();
    await prove(notice);
  }

  record.services.push(own);
  void refresh();
  return {
    service: own,
    keyId: facts.id,
    hear(notice) {
      if (notice.data.action !== 'refresh' || heard.has(notice.id)) return;
      heard.add(notice.id);
      open = notice;
      void act(notice);
    },
    work() {
      if (value) provider.use(value);
      if (manner === 'polls') void refresh();
    },
    wake() {
      awake = true;
      const waiting = open;
      if (waiting) void act(waiting);
    },
  };
}
