import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export type Subscription = { stop(): Promise<void> };

type Plan = {
  /** Makes an unconnected client that does not reconnect; undefined while no server is known. */
  open(): Redis | undefined;
  readonly channel: string;
  onMessage(message: string): void;
  onSubscribed(): void;
  /** Called with the reason of a lost connection. */
  onError(error: Error): void;
};

const RETRY_MS = 500;
/** Detects a dead connection, which cannot be told from a silent channel. */
const HEARTBEAT_MS = 1_000;

/**
 * Subscribes, and again after each loss, until stopped. Resolves once the first attempt has succeeded or failed.
 *
 * ioredis would resubscribe by itself, but not to a cluster's next node if the first attempt fails there, and it does
 * not notice a server that has gone silent.
 */
export async function keepSubscribed(plan: Plan): Promise<Subscription> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const first = Promise.withResolvers<void>();

  const kept = (async () => {
    while (!signal.aborted) {
      await listen(plan, signal, first.resolve).catch(plan.onError);
      first.resolve();
      await pause(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  })();
  await first.promise;

  return {
    async stop() {
      stopping.abort();
      await kept;
    },
  };
}

/** Listens until it is stopped. Throws if the connection is lost; returns at once while no server is known. */
async function listen(
  { open, channel, onMessage, onSubscribed }: Plan,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<void> {
  const connection = open();
  if (connection === undefined) return;
  // The next command fails with the same error.
  connection.on('error', () => {});
  const hangUp = () => connection.disconnect();
  signal.addEventListener('abort', hangUp);
  const lost = new AbortController();
  connection.once('end', () => lost.abort());
  try {
    connection.on('message', (_channel, message: string) => onMessage(message));
    await connection.subscribe(channel);
    onFirst();
    onSubscribed();
    while (!signal.aborted) {
      await pause(HEARTBEAT_MS, undefined, { signal: lost.signal }).catch(() => {});
      await connection.ping();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}
