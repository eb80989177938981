import { defineConfig } from 'vitest/config';

/** Projects by how much they need: unit runs anywhere, the others start real parts themselves. */
export default defineConfig({
  test: {
    setupFiles: ['test/support/sample.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/orchestration/**/*.test.ts'],
          // Files of one worker share the modules that they import: half of the time went into reading them anew.
          isolate: false,
          // Properties at full figures, on a machine that has other things to do.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/contracts/**/*.test.ts', 'test/protocol/**/*.test.ts'],
          // Reading the SDKs anew for each file took a third of the time.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/faults/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
