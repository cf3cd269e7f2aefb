import type { KeyReport } from '../../core/show.ts';
import { rollbackClaims } from './claims.ts';
import type { Scene } from './scene.ts';

/** A rotation fails because the vendor refuses the new version after it was delivered; the services are brought back to the one before. */
export async function rollBack({ stage, screen, tell, check, version, happened }: Scene, keyId: string): Promise<void> {
  screen.chapter('2  A rotation fails on purpose, and is rolled back');
  await stage.rekey(['rotate', keyId, '--reason', 'a contractor left', '--yes', '--json']);
  await stage.until(`version 2 of ${keyId} to be delivered`, 30, async () => {
    await tell.look();
    return tell.of(keyId).some(({ event }) => event === 'version.distributed');
  });
  await stage.vendor.fault({ kind: 'refuses-everything', on: 'whoami' });
  screen.line('the vendor breaks: whoever asks it about a key is told that the key is refused');
  const state = async () => {
    await tell.look();
    return (await stage.ask<KeyReport>('key.show', { keyId })).state;
  };
  await stage.until(`${keyId} to notice`, 60, async () => (await state()) === 'rolling-back');
  await stage.vendor.clearFaults();
  screen.line('the vendor is well again');
  await stage.until(`${keyId} to be back on version 1`, 60, async () => (await state()) === 'active');
  await stage.rekey(['hold', keyId, '--until', 'PT1H', '--reason', 'until the vendor explains itself', '--json']);
  screen.line(`${keyId}: on hold for an hour; the schedule leaves it alone, a revocation would not`);
  const pair = { from: await version(keyId, 1), to: await version(keyId, 2) };
  const claims = async () => rollbackClaims(await stage.vendor.log(), pair);
  // Its services call again within half a second; what does not hold by then is reported as it is.
  await stage.until('the next calls of its services', 5, async () => (await claims()).every(({ holds }) => holds)).catch(() => undefined);
  check(keyId, await claims());
  happened(keyId, 'rotation failed and rolled back, on hold');
}
