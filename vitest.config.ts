import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One worker for every core: left alone, Vitest keeps a core for itself, which is half of a machine with two.
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000, reporters: ['default'], maxWorkers: '100%' },
});
