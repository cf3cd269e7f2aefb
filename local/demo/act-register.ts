import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { KeyFacts } from '../../core/key.ts';
import type { KeyReport } from '../../core/show.ts';
import type { Scene } from './scene.ts';
import { valueFile } from './services.ts';
import type { Stage } from './stage.ts';

/** The vendor's delays until a new key is accepted and a disabled one refused, in milliseconds, as real vendors have them. */
const delays = { activateMs: 300, disableMs: 500 };

/** The one key of the five that nobody has yet. */
const unknownToVendor = 'analytics/export';

/** Keys that exist at the vendor are adopted as they are; one is minted. Then their services go to work. */
export async function register({ stage, screen, tell, happened }: Scene): Promise<void> {
  screen.chapter('1  Five keys are registered from files');
  await stage.vendor.behave(delays);
  for (const { facts, file } of stage.keys) {
    const minted = facts.id === unknownToVendor;
    const first = minted ? ['--mint'] : ['--value-from', '-'];
    await stage.rekey(['key', 'add', '-f', file, ...first, '--json'], minted ? undefined : await inUse(stage, facts));
    const { tier } = await stage.ask<KeyReport>('key.show', { keyId: facts.id });
    const services = facts.consumers.map(({ name }) => name).join(' and ');
    screen.line(`${facts.id}: tier ${tier}, ${minted ? 'version 1 is being minted' : 'adopted as it is'}, used by ${services}`);
    happened(facts.id, minted ? 'minted' : 'adopted');
  }
  const isActive = async (keyId: string) => (await stage.ask<KeyReport>('key.show', { keyId })).state === 'active';
  await stage.until(`version 1 of ${unknownToVendor}`, 30, () => isActive(unknownToVendor));
  stage.startServices();
  await stage.until('the services to work', 30, () => stage.services.every((service) => service.state() === 'working'));
  screen.line(`${stage.services.length} services work, each in a process of its own; of every pair one takes three times as long to move`);
  await tell.look('quietly');
}

/** The organisation before Rekey: a key made by hand in the vendor's console, in the files of the services that use it. */
async function inUse(stage: Stage, facts: KeyFacts): Promise<string> {
  const { value } = await stage.vendor.makeByHand(String(facts.params['principal']));
  for (const { name } of facts.consumers) {
    const file = valueFile(stage.workspace, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, value, { mode: 0o600 });
  }
  return value;
}
