import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sink } from '#adapters/http/queue/queue-status-stream.ts';
import { queueStatusStreams, type StreamSettings, type Streams } from '#adapters/http/queue/streams.ts';
import { Refusal } from '#domain/errors.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import type { Ports } from '#ports/index.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import type { Staged } from '#tests/contracts/stage-concert.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { type EventParser, eventParser } from '#tests/support/event-parser.ts';
import { admitWaiting } from '#use-cases/queue/admit-waiting.ts';
import { leaveQueue } from '#use-cases/queue/leave-queue.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

const running = new Set<Streams>();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  for (const streams of running) streams.close();
  running.clear();
  await vi.advanceTimersByTimeAsync(SECOND_MS);
  expect(vi.getTimerCount(), 'timers left behind').toBe(0);
  vi.useRealTimers();
});

type Told = { readonly status: string; readonly position?: number; readonly aheadCount?: number };

/** A client at the other end: what it reads, how far it is behind, and how its stream ended. */
type Client = EventParser<Told> & {
  readonly sink: Sink;
  readonly ending: 'open' | 'ended' | 'cut';
  /** From now on nothing is read. */
  stall(): void;
  readOn(): void;
  goAway(): void;
};

function client(): Client {
  const parser = eventParser<Told>();
  let unread: string[] | undefined;
  let ending: Client['ending'] = 'open';
  let onGone = () => {};
  const close = (how: 'ended' | 'cut') => {
    if (ending === 'open') ending = how;
    onGone();
  };
  return {
    feed: parser.feed,
    events: parser.events,
    comments: parser.comments,
    get retry() {
      return parser.retry;
    },
    get ending() {
      return ending;
    },
    sink: {
      send(text) {
        if (unread === undefined) parser.feed(text);
        else unread.push(text);
      },
      // A kilobyte each: what matters is whether it is bounded.
      backlogBytes: () => (unread?.length ?? 0) * 1_024,
      end: () => close('ended'),
      cut: () => close('cut'),
      onGone(callback) {
        onGone = callback;
        if (ending !== 'open') callback();
      },
    },
    stall() {
      unread = [];
    },
    readOn() {
      for (const text of unread ?? []) parser.feed(text);
      unread = undefined;
    },
    goAway: () => close('cut'),
  };
}

function audience(staged: Staged = {}, settings: Partial<StreamSettings> = {}) {
  const world = memoryWorld();
  const concert = world.stage({ ...staged, policy: { activeMax: 1, ...staged.policy } });
  const errors: unknown[] = [];
  let ports: Ports = world.ports;
  const standIn = (changed: Partial<Ports['queue']>) => {
    ports = { ...world.ports, queue: { ...world.ports.queue, ...changed } };
  };
  const queue = new Proxy(world.ports.queue, { get: (_, name) => Reflect.get(ports.queue, name) });
  const streams = queueStatusStreams(
    { ...world.ports, queue },
    { max: 9, heartbeatSeconds: 15, ...settings },
    (error) => errors.push(error),
  );
  running.add(streams);
  const follow = async (entry: QueueEntry, lastEventId?: string) => {
    const fan = client();
    const begun = await streams.open(entry, lastEventId, () => fan.sink);
    return Object.assign(fan, { begun });
  };
  const pass = async (milliseconds: number) => {
    world.clock.advance(milliseconds);
    await vi.advanceTimersByTimeAsync(milliseconds);
  };
  return { ...world, concert, streams, errors, follow, pass, standIn, fan: () => world.fan(concert) };
}

const positions = ({ events }: Client) => events.map(({ data }) => data.position);
const statuses = ({ events }: Client) => events.map(({ data }) => data.status);

describe('a stream', () => {
  it('sends the queue status at once, and when to reconnect', async () => {
    const { fan, follow } = audience();
    await fan();
    const waiting = await follow(await fan());
    expect(waiting.events).toMatchObject([{ data: { status: 'WAITING', position: 1, aheadCount: 0 } }]);
    expect(waiting.retry).toBe(60 * SECOND_MS);
  });

  it('sends each change once, and nothing without a change', async () => {
    const { fan, follow, pass, ports } = audience();
    await fan();
    const [second, third] = [await fan(), await fan()];
    const waiting = await follow(third);
    await pass(10 * SECOND_MS);
    expect(positions(waiting)).toEqual([2]);
    await leaveQueue(ports, second);
    await pass(10 * SECOND_MS);
    expect(positions(waiting)).toEqual([2, 1]);
  });

  it('sends an admission at once, and a new position only after a second', async () => {
    const { fan, follow, pass, ports } = audience();
    const first = await fan();
    const [second, third] = [await fan(), await fan()];
    const [next, behind] = [await follow(second), await follow(third)];
    await pass(100);
    await leaveQueue(ports, first);
    await pass(100);
    expect(statuses(next)).toEqual(['WAITING', 'ACTIVE']);
    expect(positions(behind)).toEqual([2]);
    await pass(SECOND_MS);
    expect(positions(behind)).toEqual([2, 1]);
  });

  it('sends a position at most once a second, however the queue moves', async () => {
    const { fan, follow, pass, ports } = audience();
    await fan();
    const ahead: QueueEntry[] = [];
    for (let joined = 0; joined < 40; joined++) ahead.push(await fan());
    const last = await follow(await fan());
    for (const entry of ahead) {
      await leaveQueue(ports, entry);
      await pass(100);
    }
    expect(positions(last).length).toBeGreaterThan(2);
    expect(positions(last).length).toBeLessThanOrEqual(5);
  });

  it('never sends a larger position than before', async () => {
    const { fan, follow, pass, standIn } = audience();
    await fan();
    await fan();
    const third = await fan();
    const waiting = await follow(third);
    standIn({ find: async () => ({ status: 'WAITING', position: 7, turnover: 0.5, presentShare: 1 }) });
    await pass(2 * SECOND_MS);
    expect(waiting.events.length).toBeGreaterThan(1);
    expect(waiting.events.at(-1)?.data).toMatchObject({ position: 2, aheadCount: 1 });
  });

  it('of an active entry sends the end of the session, and ends', async () => {
    const { fan, follow, pass } = audience({ policy: { sessionSeconds: 5 } });
    const active = await follow(await fan());
    expect(active.ending).toBe('open');
    await pass(6 * SECOND_MS);
    expect(statuses(active)).toEqual(['ACTIVE', 'EXPIRED']);
    expect(active.ending).toBe('ended');
  });

  it('counts as a heartbeat', async () => {
    const { fan, follow, pass, ports } = audience({ policy: { absentSeconds: 5, sessionSeconds: 60 } });
    await fan();
    const [silent, there] = [await fan(), await fan()];
    const waiting = await follow(there);
    // Their turn comes after twelve times as long as anybody may be silent.
    for (let second = 0; second < 60; second++) await pass(SECOND_MS);
    await admitWaiting(ports);
    await pass(SECOND_MS);
    expect(statuses(waiting).at(-1)).toBe('ACTIVE');
    expect((await ports.queue.read(silent.concertId)).absent).toBe(1);
  });

  it('without news sends a comment before it is taken for dead', async () => {
    const { fan, follow, pass } = audience({}, { heartbeatSeconds: 15 });
    await fan();
    const waiting = await follow(await fan());
    await pass(61 * SECOND_MS);
    expect(waiting.comments).toHaveLength(4);
  });

  it('survives an unreachable queue, and then sends what has changed', async () => {
    const { fan, follow, pass, ports, standIn, errors } = audience();
    await fan();
    const [second, third] = [await fan(), await fan()];
    const waiting = await follow(third);
    const away = async () => {
      throw new Refusal('unavailable', { retryAfterSeconds: 1 });
    };
    standIn({ find: away, survey: away });
    await ports.queue.leave(second);
    await pass(31 * SECOND_MS);
    expect([positions(waiting), waiting.ending, waiting.comments.length]).toEqual([[2], 'open', 2]);
    standIn(ports.queue);
    await pass(2 * SECOND_MS);
    expect(positions(waiting)).toEqual([2, 1]);
    expect(errors).toEqual([]);
  });

  it('that fails by our own bug ends, and the bug is reported', async () => {
    const { fan, follow, pass, standIn, errors } = audience();
    await fan();
    const waiting = await follow(await fan());
    const fault = new RangeError('ours');
    standIn({
      find: async () => {
        throw fault;
      },
    });
    await pass(2 * SECOND_MS);
    expect([waiting.ending, errors]).toEqual(['ended', [fault]]);
  });

  it('ends after some minutes, so that no dead connection counts as a heartbeat forever', async () => {
    const { fan, follow, pass } = audience({ policy: { sessionSeconds: 3_600 } });
    const active = await follow(await fan());
    await pass(4 * MINUTE_MS);
    expect(active.ending).toBe('open');
    await pass(2 * MINUTE_MS);
    expect([active.ending, active.comments.at(-1)]).toEqual(['ended', 'come back']);
  });
});

describe('a client that does not read', () => {
  it('gets the latest queue status when it reads again, and none in between', async () => {
    const { fan, follow, pass, ports } = audience({}, { heartbeatSeconds: 60 });
    await fan();
    const ahead: QueueEntry[] = [];
    for (let joined = 0; joined < 20; joined++) ahead.push(await fan());
    const slow = await follow(await fan());
    slow.stall();
    for (const entry of ahead) {
      await leaveQueue(ports, entry);
      await pass(2 * SECOND_MS);
    }
    expect(slow.sink.backlogBytes()).toBeLessThan(8_192);
    slow.readOn();
    await pass(2 * SECOND_MS);
    expect(positions(slow).length).toBeLessThan(10);
    expect(positions(slow).at(-1)).toBe(1);
  });

  it('for two heartbeats is disconnected', async () => {
    const { fan, follow, pass, ports } = audience({}, { heartbeatSeconds: 15 });
    await fan();
    const ahead: QueueEntry[] = [];
    for (let joined = 0; joined < 8; joined++) ahead.push(await fan());
    const gone = await follow(await fan());
    gone.stall();
    for (const entry of ahead) {
      await leaveQueue(ports, entry);
      await pass(2 * SECOND_MS);
    }
    expect(gone.ending).toBe('open');
    await pass(30 * SECOND_MS);
    expect(gone.ending).toBe('cut');
  });

  it('does not count as a heartbeat, unlike those that do', async () => {
    const { fan, follow, pass, ports, standIn } = audience({}, { heartbeatSeconds: 60 });
    await fan();
    const [entry, other] = [await fan(), await fan()];
    const slow = await follow(entry);
    await follow(other);
    slow.stall();
    for (let text = 0; text < 9; text++) slow.sink.send('');
    const asked = new Set<number>();
    standIn({
      find(state) {
        asked.add(state.sequence);
        return ports.queue.find(state);
      },
    });
    await pass(5 * SECOND_MS);
    expect([...asked]).toEqual([other.sequence]);
  });
});

describe('a client that reconnects', () => {
  it('gets nothing twice, and what has changed', async () => {
    const { fan, follow, pass, ports } = audience();
    await fan();
    const [second, third] = [await fan(), await fan()];
    const before = await follow(third);
    before.goAway();
    const known = before.events[0]?.lastEventId;
    const after = await follow(third, known);
    expect([after.events, after.retry]).toEqual([[], 60 * SECOND_MS]);
    await leaveQueue(ports, second);
    await pass(2 * SECOND_MS);
    expect(positions(after)).toEqual([1]);
  });

  it('never gets a larger position than before', async () => {
    const { fan, follow, standIn } = audience();
    await fan();
    await fan();
    const third = await fan();
    const before = await follow(third);
    before.goAway();
    standIn({ find: async () => ({ status: 'WAITING', position: 5, turnover: 0.5, presentShare: 1 }) });
    const after = await follow(third, before.events[0]?.lastEventId);
    expect(positions(after)).toEqual([2]);
  });

  it.each(['', 'x', '1:2', '999:1:AAAAAAAAAAA', `${'9'.repeat(40)}:1:AAAAAAAAAAA`])(
    'with the id of another entry, or of nothing, gets the queue status: %j',
    async (id) => {
      const { fan, follow } = audience();
      await fan();
      await fan();
      const waiting = await follow(await fan(), id);
      expect(positions(waiting)).toEqual([2]);
    },
  );

  it('after its EXPIRED gets no stream', async () => {
    const { fan, follow, ports } = audience({}, { max: 1 });
    const entry = await fan();
    await leaveQueue(ports, entry);
    const told = await follow(entry);
    expect([statuses(told), told.ending]).toEqual([['EXPIRED'], 'ended']);
    const again = await follow(entry, told.events[0]?.lastEventId);
    expect([again.begun, again.events]).toEqual([false, []]);
    // Neither takes the place of another.
    expect((await follow(await fan())).begun).toBe(true);
  });
});

describe('an instance', () => {
  it('accepts streams up to its limit, tells the next one to poll, and accepts one again when another has ended', async () => {
    const { fan, follow } = audience({}, { max: 2 });
    const [first] = [await follow(await fan()), await follow(await fan())];
    const third = await fan();
    const detail = expect.stringContaining('Poll GET /v1/queue');
    await expectRefusal(follow(third), 'busy', { retryAfterSeconds: 30, detail });
    first.goAway();
    expect((await follow(third)).begun).toBe(true);
  });

  it('accepts a few streams of one entry: with more, the oldest ends', async () => {
    const { fan, follow } = audience();
    await fan();
    const entry = await fan();
    const tabs = [await follow(entry), await follow(entry), await follow(entry)];
    expect(tabs.map(({ ending }) => ending)).toEqual(['open', 'open', 'open']);
    tabs.push(await follow(entry));
    expect(tabs.map(({ ending }) => ending)).toEqual(['ended', 'open', 'open', 'open']);
    tabs[3]?.goAway();
    tabs.push(await follow(entry));
    expect(tabs.map(({ ending }) => ending)).toEqual(['ended', 'open', 'open', 'cut', 'open']);
  });

  it('watches a queue for as long as it has streams', async () => {
    const { fan, follow, standIn, ports } = audience();
    let watching = 0;
    standIn({
      watch(...watched) {
        watching += 1;
        const unwatch = ports.queue.watch(...watched);
        return () => {
          watching -= 1;
          unwatch();
        };
      },
    });
    const streams = [await follow(await fan()), await follow(await fan())];
    expect(watching).toBe(1);
    streams[0]?.goAway();
    expect(watching).toBe(1);
    streams[1]?.goAway();
    expect(watching).toBe(0);
  });

  it('does not count a stream that could not begin', async () => {
    const { fan, follow, standIn, ports } = audience({}, { max: 1 });
    const entry = await fan();
    standIn({
      find: async () => {
        throw new Refusal('unavailable', { retryAfterSeconds: 1 });
      },
    });
    await expectRefusal(follow(entry), 'unavailable', { retryAfterSeconds: 1 });
    standIn(ports.queue);
    expect((await follow(entry)).begun).toBe(true);
  });

  it('that stops ends all streams with a comment, disconnects clients that do not read it, and accepts no more', async () => {
    const { fan, follow, streams } = audience();
    const entries = [await fan(), await fan()] as const;
    const [reader, deaf] = [await follow(entries[0]), await follow(entries[1])];
    deaf.sink.end = () => {};
    streams.close();
    expect([reader.ending, reader.comments.at(-1)]).toEqual(['ended', 'come back']);
    expect(deaf.ending).toBe('open');
    await expectRefusal(follow(entries[0]), 'busy', { retryAfterSeconds: 1 });
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    expect(deaf.ending).toBe('cut');
  });

  it('looks up a crowd in slices, and answers others in between', async () => {
    const { fan, follow, pass, standIn, ports } = audience({ policy: { waitingMax: 1_200 } }, { max: 1_200 });
    for (let joined = 0; joined < 1_200; joined++) await follow(await fan());
    const looksPerTurn: number[] = [];
    let looks = 0;
    standIn({
      find(state) {
        if (looks === 0) {
          setImmediate(() => {
            looksPerTurn.push(looks);
            looks = 0;
          });
        }
        looks += 1;
        return ports.queue.find(state);
      },
    });
    await pass(1.5 * SECOND_MS);
    // The next in line is looked for in between as well.
    expect(looksPerTurn.filter((number) => number > 1)).toEqual([500, 500, 200]);
  });
});
