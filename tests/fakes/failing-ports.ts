import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';

/** The call that fails, counted from 1 over all ports, and whether it takes effect all the same. */
export type Fault = { readonly nth: number; readonly takesEffect: boolean };

export type FailingPorts = {
  readonly ports: Ports;
  /** The calls so far, as `port.method`. */
  readonly calls: readonly string[];
};

/** The same ports with failing calls: before they take effect, or after it, so that only their answer is lost. */
export function failingPorts(ports: Ports, faults: readonly Fault[]): FailingPorts {
  const calls: string[] = [];

  async function call(name: string, work: () => Promise<unknown>): Promise<unknown> {
    calls.push(name);
    const fault = faults.find(({ nth }) => nth === calls.length);
    if (fault === undefined) return work();
    if (fault.takesEffect) await work();
    throw new Refusal('unavailable', { retryAfterSeconds: 1 });
  }

  function failing<P extends object>(name: keyof Ports, port: P): P {
    return new Proxy(port, {
      get: (target, method) => {
        const work = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => call(`${name}.${String(method)}`, () => work(...args));
      },
    });
  }

  const { queue, queueRecords, holdKeys, lock, boxOffice, wallets, concerts } = ports;
  const { events, eventStream, webhooks, deliveries, webhookSender } = ports;
  return {
    calls,
    ports: {
      ...ports,
      queue: failing('queue', queue),
      queueRecords: failing('queueRecords', queueRecords),
      holdKeys: failing('holdKeys', holdKeys),
      lock: failing('lock', lock),
      boxOffice: failing('boxOffice', boxOffice),
      wallets: failing('wallets', wallets),
      concerts: failing('concerts', concerts),
      events: failing('events', events),
      eventStream: failing('eventStream', eventStream),
      webhooks: failing('webhooks', webhooks),
      deliveries: failing('deliveries', deliveries),
      webhookSender: failing('webhookSender', webhookSender),
    },
  };
}
