// Writes the Prisma client that the code imports. Plain JavaScript: npm runs this with the machine's own Node.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

if (Number(process.versions.node.split('.')[0]) < 22) {
  console.log(`Node ${process.versions.node} installs this; the npm scripts run on the Node 24 in node_modules.`);
}

const prisma = commandLine();
if (prisma === undefined) {
  console.log('No Prisma client written: the `prisma` package is left out (npm ci --omit=dev).');
} else {
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [prisma, 'generate', '--schema', 'prisma/schema.prisma', '--no-hints'],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
      env: {
        // Generating uses no engine, yet downloads one unless this names a file that exists. It is not run.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        // No look for updates, no telemetry: an installation works without a network.
        CHECKPOINT_DISABLE: '1',
        ...process.env,
      },
    },
  );
  if (status !== 0) {
    console.error(error ?? `${stdout}${stderr}`);
    process.exitCode = 1;
  }
}

function commandLine() {
  try {
    return createRequire(import.meta.url).resolve('prisma/build/index.js');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
