import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { LocalProblem } from './local-problem.ts';

/**
 * Starts a server on a free port. Neither Postgres nor Redis can choose one itself, so another process may take it
 * first; then another port is tried.
 */
export async function onFreePort<Started>(start: (port: number) => Promise<Started>, attempts = 3): Promise<Started> {
  try {
    return await start(await freePort());
  } catch (error) {
    const taken = error instanceof LocalProblem && /address already in use/i.test(error.message);
    if (!taken || attempts === 1) throw error;
    return onFreePort(start, attempts - 1);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
