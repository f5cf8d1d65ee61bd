import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';

/** Stands between instances and a server, and spoils what passes between them. */
export type TcpProxy = {
  /** The same server, by way of this. */
  readonly url: string;
  /** From now on everything takes so much longer, in each direction. */
  delay(ms: number): void;
  /** Resets every connection, and each new one, until it is mended. */
  cut(): void;
  /** Tells one end of each connection that the other has hung up. The other is told nothing, now or later. */
  halfClose(end: 'instance' | 'server'): void;
  /** From now on it is as if this were not there; what is broken stays so. */
  mend(): void;
};

type Pair = { readonly instance: Socket; readonly server: Socket };

/** Called at the top of a test file, where hooks are registered. */
export async function tcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<Pair>();
  const torn = new Set<Pair>();
  let delayMs = 0;
  let isCut = false;

  /** What one end says, the other hears, as long as it is not torn. */
  function forward(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    /** In the order in which it was said, also when the delay ends. */
    function later(say: () => void): void {
      const late = delayMs === 0 ? undefined : pause(delayMs);
      last = last.then(() => late).then(() => void (to.writable && say()));
    }
    from.on('data', (chunk) => later(() => to.write(chunk)));
    from.on('end', () => later(() => to.end()));
    // Whatever breaks on one side breaks on the other.
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => to.destroy());
  }

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (instance) => {
    const server = createConnection({
      host: target.hostname,
      port: Number(target.port),
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair = { instance, server };
    if (isCut) return reset(pair);
    pairs.add(pair);
    instance.once('close', () => pairs.delete(pair));
    forward(instance, server);
    forward(server, instance);
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
      for (const pair of pairs) {
        const [told, other] = end === 'instance' ? [pair.instance, pair.server] : [pair.server, pair.instance];
        // What it still says is not heard, nor that it hangs up in turn.
        told
          .removeAllListeners()
          .on('error', () => {})
          .resume()
          .end();
        other
          .removeAllListeners()
          .on('error', () => {})
          .resume();
        pairs.delete(pair);
        torn.add(pair);
      }
    },
    mend() {
      delayMs = 0;
      isCut = false;
    },
  };
}

function reset({ instance, server }: Pair): void {
  for (const end of [instance, server]) end.on('error', () => {}).resetAndDestroy();
}
