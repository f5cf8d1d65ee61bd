import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';

/** Stands between clients and a server, whichever these are, and spoils what passes between them. */
export type TcpProxy = {
  /** The same server, by way of this. */
  readonly url: string;
  /** From now on everything takes so much longer, in each direction. */
  delay(ms: number): void;
  /** Resets every connection, and each new one, until it is mended. */
  cut(): void;
  /** Tells one end of each connection that the other has hung up; the other is told nothing, now or later. Answers how many. */
  halfClose(end: 'client' | 'server'): number;
  /** From now on it is as if this were not there; what is broken stays so. */
  mend(): void;
};

type Pair = { readonly client: Socket; readonly server: Socket };

/** Called at the top of a test file, where hooks are registered. */
export async function tcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<Pair>();
  const torn = new Set<Pair>();
  let delayMs = 0;
  let isCut = false;

  /** What one end says and does, the other hears of, as long as the connection is not torn. */
  function forward(pair: Pair, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    const tell = (say: () => void) => {
      if (!torn.has(pair)) say();
    };
    /** In the order in which it was said, also when the delay ends. */
    function tellLater(say: () => void): void {
      const late = delayMs === 0 ? undefined : pause(delayMs);
      last = last.then(() => late).then(() => tell(() => to.writable && say()));
    }
    from.on('data', (chunk) => tellLater(() => to.write(chunk)));
    from.on('end', () => tellLater(() => to.end()));
    from.on('error', () => tell(() => to.resetAndDestroy()));
    from.on('close', () => tell(() => to.destroy()));
  }

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = createConnection({
      host: target.hostname,
      port: Number(target.port),
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair = { client, server };
    if (isCut) return reset(pair);
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
    forward(pair, client, server);
    forward(pair, server, client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  afterAll(async () => {
    listener.close();
    for (const pair of [...pairs, ...torn]) reset(pair);
  });

  const url = new URL(targetUrl);
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    delay(ms) {
      delayMs = ms;
    },
    cut() {
      isCut = true;
      for (const pair of pairs) reset(pair);
    },
    halfClose(end) {
      const tearing = [...pairs];
      pairs.clear();
      for (const pair of tearing) {
        torn.add(pair);
        pair[end].end();
      }
      return tearing.length;
    },
    mend() {
      delayMs = 0;
      isCut = false;
    },
  };
}

function reset({ client, server }: Pair): void {
  for (const end of [client, server]) end.on('error', () => {}).resetAndDestroy();
}
