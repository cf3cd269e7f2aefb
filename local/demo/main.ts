/** `npm run demo`: the main job on this machine in about a minute. Exits with 1 when anything it says was not seen in the vendor's own log. */
import { openScreen } from './screen.ts';
import { openStage } from './stage.ts';
import { play } from './story.ts';

const screen = openScreen();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

const { stage, close } = openStage(screen.waiting, interrupted.signal);
try {
  const failed = await play(await stage, screen);
  process.exitCode = failed ? 1 : 0;
} catch (error) {
  // When it is interrupted, whatever it waited for fails in its own way.
  screen.line(interrupted.signal.aborted ? 'Interrupted; cleaning up.' : `The demo failed: ${(error as Error).message}`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
} finally {
  await close();
}
