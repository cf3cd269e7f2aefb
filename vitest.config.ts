import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // No test is about how long it takes; this only ends what hangs, also on a machine that is busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default'],
    // One more than there are cores: many tests wait for processes of their own. Left alone, Vitest keeps a core for itself.
    maxWorkers: availableParallelism() + 1,
  },
});
