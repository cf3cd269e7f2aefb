import { readFileSync } from 'node:fs';
import type { KeyReport } from '../../core/show.ts';
import { deathOf, type Pair, revocationClaims } from './claims.ts';
import type { Scene } from './scene.ts';
import { type Service, valueFile } from './services.ts';

/** A key is found in the open. Its string is all that the responder has; the stopwatch runs from the moment it is reported. */
export async function revokeLeaked(scene: Scene, keyId: string): Promise<void> {
  const { stage, screen, tell, check, version, happened } = scene;
  screen.chapter('4  A key leaks, and is revoked from the string that was found');
  const services = stage.services.filter((service) => service.keyId === keyId);
  const leaked = readFileSync(valueFile(stage.workspace, services[0]?.name ?? ''), 'utf8');
  const from = await version(keyId, (await stage.ask<KeyReport>('key.show', { keyId })).current ?? 0);

  const reported = Date.now();
  screen.line(`somebody found a string in a public repository: rekey revoke --leaked - --source repository --confirm ${keyId}`);
  const found = ['--source', 'repository', '--reason', 'found in a public repository', '--confirm', keyId];
  let refused: unknown;
  const command = stage.rekey(['revoke', '--leaked', '-', ...found, '--no-wait', '--json'], `${leaked}\n`).catch((error: unknown) => {
    refused = error;
  });
  const left = milestones(scene, keyId, from, services);
  await stage.until('the revocation', 90, async () => {
    if (refused) throw refused;
    await tell.look('quietly');
    for (let next = left[0]; next; next = left[0]) {
      const at = await next.seen();
      if (at === undefined) break;
      left.shift();
      screen.line(`${stopwatch(reported, at)} after the report: ${next.text}`);
    }
    screen.waiting(`${stopwatch(reported, Date.now())} since the report`);
    return left.length === 0;
  });
  await command;
  const to = await version(keyId, (await stage.ask<KeyReport>('key.show', { keyId })).current ?? 0);
  check(keyId, revocationClaims(await stage.vendor.log(), { from, to }, services.length));
  happened(keyId, 'leaked, revoked, issued again');
}

interface Milestone {
  readonly text: string;
  /** When it happened, in milliseconds since 1970; undefined while it has not. */
  readonly seen: () => Promise<number | undefined>;
}

/** What a responder waits for, in the order in which it is told. */
function milestones({ stage, tell }: Scene, keyId: string, from: Pair['from'], services: readonly Service[]): Milestone[] {
  const latest = (instants: readonly (number | undefined)[]) =>
    instants.every((at) => at !== undefined) ? Math.max(...(instants as number[])) : undefined;
  const event = (name: string, consumer?: string) => {
    const entry = tell
      .of(keyId)
      .findLast(
        ({ event, detail }) =>
          event === name && (!consumer || (detail['consumer'] === consumer && Number(detail['version']) > from.number)),
      );
    return entry && Date.parse(entry.at);
  };
  const names = services.map(({ name }) => name);
  return [
    {
      text: `it is version ${from.number} of ${keyId}, and every older attempt is shut out`,
      seen: async () => event('revocation.requested'),
    },
    { text: 'disabled at the vendor', seen: async () => deathOf(await stage.vendor.log(), from.id).disabledAt },
    {
      text: `${names.join(' and ')} were told and stopped using it`,
      seen: async () => latest(services.map((service) => service.stoppedAt())),
    },
    {
      text: 'proven dead: the vendor refused it twice in a row',
      seen: async () => event('revocation.contained') && deathOf(await stage.vendor.log(), from.id).provenAt,
    },
    {
      text: 'issued again: the next version works at the vendor and is at every destination',
      seen: async () => event('revocation.closed'),
    },
    {
      text: `${names.join(' and ')} work again and proved with which version`,
      seen: async () =>
        latest(services.map((service) => (service.state() === 'working' ? event('receipt.moved', service.name) : undefined))),
    },
  ];
}

function stopwatch(from: number, to: number): string {
  return `${((to - from) / 1000).toFixed(1)} s`;
}
