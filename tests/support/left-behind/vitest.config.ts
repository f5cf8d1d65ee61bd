import { defineConfig } from 'vitest/config';

/** For `leaves-nothing.ts`: set up as the integration tests are, with a limit for the test that hangs. */
const HANG_MS = 300_000;
const SOON_MS = 100;
const hangs = process.env.END === 'a test that times out';

export default defineConfig({
  root: new URL('../../..', import.meta.url).pathname,
  test: {
    include: ['tests/support/left-behind/servers.fixture.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    setupFiles: ['tests/support/end-with-runner.ts'],
    pool: 'forks',
    isolate: false,
    hookTimeout: HANG_MS,
    testTimeout: hangs ? SOON_MS : HANG_MS,
  },
});
