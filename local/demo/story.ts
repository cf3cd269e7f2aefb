import pc from 'picocolors';
import type { KeyReport } from '../../core/show.ts';
import { register } from './act-register.ts';
import { revokeLeaked } from './act-revoke.ts';
import { rollBack } from './act-roll-back.ts';
import { rotateDue } from './act-schedule.ts';
import type { Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { tellHistories } from './telling.ts';

/** The key whose rotation fails on purpose, and the one that leaks. */
const troubled = 'platform/ci-deploy';
const leaking = 'payments/stripe';

/** Plays the whole demo. Returns how many claims the vendor's log did not bear out. */
export async function play(stage: Stage, screen: Screen): Promise<number> {
  let failed = 0;
  let checked = 0;
  const story = new Map<string, string[]>();
  const scene: Scene = {
    stage,
    screen,
    tell: tellHistories(stage, screen.line),
    check(keyId, claims) {
      for (const { says, holds, seen } of claims) {
        screen.claim(`${keyId}: ${says}`, holds, seen);
        checked += 1;
        if (!holds) failed += 1;
      }
    },
    async version(keyId, number) {
      const { versions } = await stage.ask<KeyReport>('key.show', { keyId });
      return { number, id: versions.find((version) => version.number === number)?.credentialId ?? '' };
    },
    happened(keyId, what) {
      story.set(keyId, [...(story.get(keyId) ?? []), what]);
    },
  };

  screen.line('A vendor, Rekey and a command line run here, each in a process of its own. Nothing leaves this machine.');
  screen.line('What takes months in production takes seconds here: overlaps of 6 s, a rotation every half minute.');
  await register(scene);
  await rollBack(scene, troubled);
  await rotateDue(
    scene,
    stage.keys.map(({ facts }) => facts.id).filter((keyId) => keyId !== troubled),
  );
  await revokeLeaked(scene, leaking);

  screen.chapter('What happened');
  const rows = await Promise.all(
    stage.keys.map(async ({ facts: { id } }) => {
      const { tier, state, current } = await stage.ask<KeyReport>('key.show', { keyId: id });
      return [id, tier, state, `version ${current}`, (story.get(id) ?? []).join('; ')];
    }),
  );
  screen.table([['KEY', 'TIER', 'STATE', 'IN USE', 'STORY'], ...rows]);
  const verdict = `${checked - failed} of ${checked} statements were seen in the vendor's own log of ${(await stage.vendor.log()).length} requests.`;
  screen.chapter(failed ? pc.red(verdict) : verdict);
  screen.line('Where to look next:');
  screen.line('  npm start                  the same on this machine, for as long as you like; then npx rekey --help');
  screen.line('  README.md                  register your first key');
  screen.line('  local/demo/keys            the key documents used here');
  screen.line('  workflows/rotate.asl.json  the steps you just watched, as they run on AWS');
  screen.line('  docs/runbook.md            what to do when Rekey calls for a person');
  return failed;
}
