import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // No test is about how long it takes; this only ends what hangs, also on a machine that is busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default'],
    // One worker for every core: left alone, Vitest keeps a core for itself, which is half of a machine with two.
    maxWorkers: '100%',
  },
});
