import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export type Subscription = { stop(): Promise<void> };

type Plan = {
  /** A connection that is not connected yet and does not reconnect; undefined while nobody is known to connect to. */
  open(): Redis | undefined;
  readonly channel: string;
  onMessage(message: string): void;
  onSubscribed(): void;
  /** Called with the reason for which a connection was lost. */
  onError(error: Error): void;
};

const RETRY_MS = 500;
/** Nobody need ever say anything on a channel, so a connection that has died in silence is only found out by asking. */
const HEARTBEAT_MS = 1_000;

/**
 * Subscribes, and again whenever the connection is lost, until it is told to stop. Resolves once the first attempt has
 * succeeded or failed.
 *
 * ioredis would subscribe again by itself, but not to a cluster's next node when the first attempt there fails, and it does
 * not notice a server that says nothing any more.
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

/** Listens until the connection is lost, which throws, or until it is told to stop. Returns at once while no server is known. */
async function listen(
  { open, channel, onMessage, onSubscribed }: Plan,
  signal: AbortSignal,
  onFirst: () => void,
): Promise<void> {
  const connection = open();
  if (connection === undefined) return;
  // Whatever it is, the next command fails of it.
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
