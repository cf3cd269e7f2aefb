import type { Reach } from './faults/fault.ts';
import type { Scene } from './scene.ts';

/** What a fault that happens outside may reach of a scene. */
export function reachOf(scene: Scene): Reach {
  const { w, oracle, choose, switches, recorder, attempts } = scene;
  const some = () => attempts[choose.below(Math.max(1, attempts.length))];
  return {
    w,
    oracle,
    choose,
    bare: w.ports,
    switches,
    say: recorder.say,
    redrive() {
      const old = some();
      if (!old) return;
      recorder.say(`somebody redrives ${old.step.state} of ${old.payload.operationId}`);
      void scene.attempt(old.step, old.payload).catch(() => undefined);
    },
    stopExecution() {
      const last = attempts.at(-1);
      if (!last) return;
      recorder.say(`somebody stops ${last.payload.operationId}-r${last.payload.startSeq}`);
      scene.stopped.add(`${last.payload.operationId}-r${last.payload.startSeq}`);
    },
    powerLoss() {
      recorder.say('the machine loses power');
      scene.crash();
      w.crash();
      w.restart();
    },
  };
}
