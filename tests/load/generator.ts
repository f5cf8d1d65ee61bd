import autocannon from 'autocannon';
import { percentile } from './spread.ts';

// The generator: a process of its own, told over IPC what to ask for, one job at a time. Ends with whoever started it.

export type Load = {
  readonly url: string;
  /** What each connection asks for, one after the other and again from the beginning: as many connections as lists. */
  readonly requests: readonly (readonly autocannon.Request[])[];
  /** How long; or 'once': until each connection has asked for everything in its list. */
  readonly seconds: number | 'once';
};

export type LoadResult = {
  /** From the first answer to the last. */
  readonly seconds: number;
  /** How many answers of each status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Requests whose connection broke or whose answer did not come in time. */
  readonly unanswered: number;
  /** From sending a request to its answer, without the first of each connection: those wait until all connections are open. */
  readonly p99Ms: number;
  /** The same of all, the first ones included. */
  readonly p99OfAllMs: number;
};

process.on('message', async (load: Load) => process.send?.(await generate(load)));
process.on('disconnect', () => process.exit());

async function generate({ url, requests, seconds }: Load): Promise<LoadResult> {
  const statuses: Record<number, number> = {};
  let first = 0;
  let last = 0;
  let clients = 0;
  const firstsMs: number[] = [];
  const waitsMs: number[] = [];
  // Its errors include the timeouts.
  const { errors } = await autocannon({
    url,
    connections: requests.length,
    ...(seconds === 'once' ? { amount: requests.flat().length } : { duration: seconds }),
    setupClient(client) {
      client.setRequests([...(requests[clients++] ?? [])]);
      let answers = 0;
      client.on('response', (status, _bytes, waitMs) => {
        (answers === 0 ? firstsMs : waitsMs).push(waitMs);
        answers += 1;
        last = performance.now();
        first ||= last;
        statuses[status] = (statuses[status] ?? 0) + 1;
      });
    },
  });
  return {
    seconds: (last - first) / 1_000,
    statuses,
    unanswered: errors,
    p99Ms: percentile(waitsMs, 0.99),
    p99OfAllMs: percentile([...firstsMs, ...waitsMs], 0.99),
  };
}
