/** A relay that is killed after it has published and before it could settle. Its last will is in its arguments. */
import type { EventStream } from '#ports/events/event-stream.ts';
import { relayEvents } from '#use-cases/events/relay-events.ts';
import { realPorts } from './real-ports.ts';

const [, , databaseUrl = '', redisUrl = ''] = process.argv;
const { ports } = await realPorts(databaseUrl, redisUrl);

const eventStream: EventStream = {
  async publish(batch) {
    await ports.eventStream.publish(batch);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  },
};
await relayEvents({ ...ports, eventStream });
