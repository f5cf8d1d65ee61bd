import { defineConfig } from 'vitest/config';

/** Ends a hang. No test is about how long it takes: each waits for a condition, on a slow machine with busy cores too. */
const HANG_MS = 300_000;
const limits = { testTimeout: HANG_MS, hookTimeout: HANG_MS };

/** Processes, not threads: tests start instances and send signals. */
const ownProcesses = { ...limits, pool: 'forks' as const, setupFiles: ['tests/support/end-with-runner.ts'] };

/** On real stores. */
const onServers = {
  ...ownProcesses,
  globalSetup: ['tests/support/global-setup.ts'],
  // Files of a worker share its modules and the instances of `sharedWorld`.
  isolate: false,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['tests/unit/**/*.test.ts', 'tests/architecture.test.ts'],
          ...limits,
          // These tests share nothing but code, and starting anew for each file takes longer than they do.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['tests/integration/**/*.test.ts'],
          ...onServers,
          maxWorkers: 2,
        },
      },
      {
        // Millions of rows, thousands of clients, long random runs. Each has a small version in `integration`.
        test: {
          name: 'heavy',
          sequence: { groupOrder: 2 },
          include: ['tests/heavy/**/*.test.ts'],
          ...onServers,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'faults',
          sequence: { groupOrder: 3 },
          include: ['tests/faults/**/*.test.ts'],
          ...ownProcesses,
          globalSetup: ['tests/faults/report.ts'],
          // Each file waits for much of the time: the figures hardly notice the other one.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'controls',
          sequence: { groupOrder: 4 },
          include: ['tests/controls/**/*.test.ts'],
          ...ownProcesses,
          globalSetup: ['tests/support/global-setup.ts'],
          // Each of them runs a part of the integration tests, and waits for much of the time.
          maxConcurrency: 2,
        },
      },
    ],
  },
});
