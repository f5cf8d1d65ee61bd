import type { Asked, Call, Known, Rules, Said } from './calls.ts';
import type { Command, Commands } from './commands.ts';
import type { Timed } from './explain.ts';
import type { SeatOp } from './seat.ts';

/** The clock of Postgres and ours are two, and times are told in whole milliseconds. */
const CLOCKS_DIFFER_MS = 50;

type Reservation = Extract<Asked, { reservation: Known }>;
/** The holds that were answered, by reservation. */
type Holds = ReadonlyMap<string, Command>;
type SeatOperation = { readonly seatNumbers: readonly number[] } & Timed<SeatOp>;
/** What a refusal says about the reservation. */
const TOLD_BY_REFUSAL: Readonly<Record<string, 'held' | 'sold' | 'ended'>> = {
  'already-paid': 'sold',
  'hold-expired': 'ended',
  'reservation-not-held': 'ended',
  'already-cancelled': 'ended',
  'hold-at-ceiling': 'held',
};
const TOLD_BY_STATUS: Readonly<Record<string, 'held' | 'sold' | 'ended'>> = {
  HELD: 'held',
  CONFIRMED: 'sold',
  EXPIRED: 'ended',
  CANCELLED: 'ended',
};

/** What happened to each seat, and was seen of it. */
export function seatOperations(calls: readonly Call[], { commands, refusals }: Commands, rules: Rules) {
  const holds = new Map(
    commands.flatMap((command) =>
      command.asked.what === 'reserve' && command.said?.reservationId !== undefined
        ? [[command.said.reservationId, command] as const]
        : [],
    ),
  );
  const operations = [
    ...commands.flatMap((command) =>
      changesOf({ ...command, startMs: notBefore(command, calls, holds) }, holds, rules),
    ),
    ...refusals.flatMap(toldByRefusal),
    ...calls.flatMap(seen),
    ...foundByOwners(calls),
  ];
  const bySeat = new Map<number, Timed<SeatOp>[]>();
  for (const { seatNumbers, ...operation } of operations) {
    for (const seat of seatNumbers) bySeat.set(seat, [...(bySeat.get(seat) ?? []), operation]);
  }
  return { acknowledged: new Set(holds.keys()), bySeat };
}

function changesOf(command: Command, holds: Holds, { holdMs }: Rules): SeatOperation[] {
  const { userId, asked, startMs, endMs, said } = command;
  switch (asked.what) {
    case 'reserve': {
      const lapsesFromMs = startMs + lastsMs(said, holdMs) - CLOCKS_DIFFER_MS;
      const lapsesByMs = endMs + lastsMs(said, holdMs) + CLOCKS_DIFFER_MS;
      const { reservationId } = said ?? {};
      const id = reservationId === undefined ? {} : { reservationId };
      const op = { what: 'hold', userId, ...id, lapsesFromMs, lapsesByMs } as const;
      return [{ seatNumbers: asked.seatNumbers, startMs, endMs, op }];
    }
    case 'extend': {
      const { reservationId, seatNumbers } = asked.reservation;
      const hold = holds.get(reservationId);
      const deadline =
        hold === undefined || said === undefined
          ? {}
          : {
              lapsesFromMs: hold.startMs + lastsMs(said, holdMs) - CLOCKS_DIFFER_MS,
              lapsesByMs: hold.endMs + lastsMs(said, holdMs) + CLOCKS_DIFFER_MS,
            };
      return [{ seatNumbers, startMs, endMs, op: { what: 'extend', userId, reservationId, ...deadline } }];
    }
    case 'pay':
    case 'release': {
      const { reservationId, seatNumbers } = asked.reservation;
      return [{ seatNumbers, startMs, endMs, op: { what: asked.what, userId, reservationId } }];
    }
    case 'cancel': {
      const { reservationId, seatNumbers } = asked.reservation;
      const of = said === undefined ? 'either' : said.refund === undefined ? 'held' : 'sold';
      return [{ seatNumbers, startMs, endMs, op: { what: 'cancel', userId, reservationId, of } }];
    }
    default:
      return [];
  }
}

/**
 * A hold without an answer was not made before its user was shown a list of all that they have without it. Lists only grow, so
 * the last of them says most.
 */
function notBefore({ userId, asked, said, startMs }: Command, calls: readonly Call[], holds: Holds): number {
  if (asked.what !== 'reserve' || said !== undefined) return startMs;
  const without = calls.filter(
    (call) =>
      call.userId === userId &&
      call.asked.what === 'reservations' &&
      call.ending.kind === 'done' &&
      !call.ending.said.items?.some(
        ({ reservationId = '', seatNumbers }) =>
          !holds.has(reservationId) && `${seatNumbers}` === `${asked.seatNumbers}`,
      ),
  );
  return Math.max(startMs, ...without.map((list) => list.startMs));
}

/** How long a hold lasts from when it was made, as its answer says. */
function lastsMs(said: Said | undefined, otherwise: number): number {
  if (said?.heldUntil === undefined || said.createdAt === undefined) return otherwise;
  return Date.parse(said.heldUntil) - Date.parse(said.createdAt);
}

function toldByRefusal({ userId, asked, startMs, endMs, ending }: Commands['refusals'][number]): SeatOperation[] {
  const as = TOLD_BY_REFUSAL[ending.code];
  if (as === undefined) return [];
  const { reservationId, seatNumbers } = (asked as Reservation).reservation;
  return [{ seatNumbers, startMs, endMs, op: { what: 'found', userId, reservationId, as } }];
}

function seen({ asked, startMs, endMs, ending }: Call): SeatOperation[] {
  if (asked.what !== 'seats' || ending.kind !== 'done') return [];
  return (ending.said.items ?? []).map(({ seatNumber = 0, status = '' }) => ({
    seatNumbers: [seatNumber],
    startMs,
    endMs,
    op: { what: 'seen', status: status as 'AVAILABLE' },
  }));
}

/** What owners read of their reservations. Of one that has ended once is enough, as long as it stays so. */
function foundByOwners(calls: readonly Call[]): SeatOperation[] {
  const ended = new Set<string>();
  const found: SeatOperation[] = [];
  for (const { userId, asked, startMs, endMs, ending } of calls.toSorted((a, b) => a.startMs - b.startMs)) {
    if (asked.what !== 'reservations' || ending.kind !== 'done') continue;
    for (const { reservationId = '', seatNumbers = [], status = '' } of ending.said.items ?? []) {
      const as = TOLD_BY_STATUS[status];
      if (as === undefined) throw new RangeError(`a reservation is ${status}`);
      if (as === 'ended' && ended.has(reservationId)) continue;
      if (as === 'ended') ended.add(reservationId);
      found.push({ seatNumbers, startMs, endMs, op: { what: 'found', userId, reservationId, as } });
    }
  }
  return found;
}
