import { eventStreamContract } from '#tests/contracts/event-stream-contract.ts';
import { memoryEventStream } from '#tests/fakes/memory-event-stream.ts';

const eventStream = memoryEventStream();
eventStreamContract({ eventStream, published: async () => eventStream.published });
