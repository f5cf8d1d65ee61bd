import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['tests/unit/**/*.test.ts', 'tests/architecture.test.ts'],
          testTimeout: 5_000,
          // These tests share nothing but code, and starting anew for each file takes longer than they do.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
          // Processes, not threads: tests start servers, send signals and change their environment.
          pool: 'forks',
          // Each file brings several clients and often several instances: two files fill two cores.
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'faults',
          sequence: { groupOrder: 2 },
          include: ['tests/faults/**/*.test.ts'],
          globalSetup: ['tests/faults/report.ts'],
          pool: 'forks',
          // One after the other: how soon the service is back would say nothing otherwise.
          maxWorkers: 1,
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'controls',
          sequence: { groupOrder: 3 },
          include: ['tests/controls/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
          pool: 'forks',
          // Each of them runs a part of the integration tests, and waits for much of the time.
          maxConcurrency: 2,
          testTimeout: 300_000,
        },
      },
    ],
  },
});
