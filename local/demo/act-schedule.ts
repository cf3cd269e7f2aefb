import { rotationClaims } from './claims.ts';
import type { Scene } from './scene.ts';

/** The schedule finds the keys whose time has come; each is rotated while its services work. */
export async function rotateDue({ stage, screen, tell, check, version, happened }: Scene, keyIds: readonly string[]): Promise<void> {
  screen.chapter('3  The schedule rotates what is due');
  const done = (keyId: string) => {
    const events = tell.of(keyId);
    const started = events.findIndex(({ event, actor }) => event === 'rotation.started' && actor === 'schedule');
    return started >= 0 && events.slice(started).some(({ event }) => event === 'rotation.done');
  };
  await stage.until('keys to come due', 120, async () => {
    await tell.look();
    return keyIds.every(done);
  });
  for (const keyId of keyIds) {
    check(keyId, rotationClaims(await stage.vendor.log(), { from: await version(keyId, 1), to: await version(keyId, 2) }));
    happened(keyId, 'rotated when due');
  }
}
