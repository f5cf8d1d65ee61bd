import type { Model, Step } from './explain.ts';

type Mine = { readonly userId: string; readonly reservationId: string };
/** Between these two moments the hold ends, if nothing else ends it. */
type Deadline = { readonly lapsesFromMs: number; readonly lapsesByMs: number };

/** What can be asked of one seat, and seen of it. */
export type SeatOp =
  /** Nobody knows the reservation of a hold that may have been made without an answer. */
  | ({ readonly what: 'hold'; readonly userId: string; readonly reservationId?: string } & Deadline)
  | ({ readonly what: 'extend' } & Mine & Partial<Deadline>)
  | ({ readonly what: 'pay' } & Mine)
  /** Giving back a hold; one that is given back already stays so. */
  | ({ readonly what: 'release' } & Mine)
  /** Giving back a hold, or what is paid; `either` when nobody knows which. */
  | ({ readonly what: 'cancel'; readonly of: 'held' | 'sold' | 'either' } & Mine)
  /** What everybody sees. */
  | { readonly what: 'seen'; readonly status: 'AVAILABLE' | 'HELD' | 'SOLD' }
  /** What its owner is told of a reservation. */
  | ({ readonly what: 'found'; readonly as: 'held' | 'sold' | 'ended' } & Mine);

type Owner = { readonly userId: string; readonly reservationId: string | undefined };

type Seat = (
  | { readonly status: 'free' }
  | ({ readonly status: 'held'; readonly by: Owner } & Deadline)
  | { readonly status: 'sold'; readonly by: Mine }
) & {
  /** The reservations that have had it. They never have it again. */
  readonly ended: readonly string[];
};

type Held = Extract<Seat, { status: 'held' }>;

/**
 * One seat: free, held by somebody for a time, or sold to somebody.
 *
 * @param acknowledged the reservations of holds that were answered. Any other was made by a hold that was not.
 */
export function seatModel(acknowledged: ReadonlySet<string>): Model<Seat, SeatOp> {
  /** Whether the seat is somebody's under this reservation. A hold without an answer turns out to be that of its user. */
  function isOf(seat: Seat, { userId, reservationId }: Mine): boolean {
    if (seat.status === 'free' || seat.by.userId !== userId) return false;
    if (seat.by.reservationId !== undefined) return seat.by.reservationId === reservationId;
    return !acknowledged.has(reservationId) && !seat.ended.includes(reservationId);
  }

  /** A hold that nobody was told of may have lapsed before anybody knew its reservation. */
  function hasEnded(seat: Seat, { reservationId }: Mine): boolean {
    if (acknowledged.has(reservationId)) return seat.ended.includes(reservationId);
    return seat.status === 'free' || seat.by.reservationId !== reservationId;
  }

  /** What comes of it, in a seat whose hold, if there is one, has not lapsed. */
  function outcome(seat: Seat, op: SeatOp): Seat | undefined {
    const { ended } = seat;
    switch (op.what) {
      case 'hold': {
        const { userId, reservationId, lapsesFromMs, lapsesByMs } = op;
        if (seat.status !== 'free' || (reservationId !== undefined && ended.includes(reservationId))) return undefined;
        return { status: 'held', by: { userId, reservationId }, lapsesFromMs, lapsesByMs, ended };
      }
      case 'extend': {
        if (seat.status !== 'held' || !isOf(seat, op)) return undefined;
        const { lapsesFromMs = seat.lapsesFromMs, lapsesByMs = Number.POSITIVE_INFINITY } = op;
        return { ...seat, by: mine(op), lapsesFromMs: Math.max(lapsesFromMs, seat.lapsesFromMs), lapsesByMs };
      }
      case 'pay':
        return seat.status === 'held' && isOf(seat, op) ? { status: 'sold', by: mine(op), ended } : undefined;
      case 'release':
        if (ended.includes(op.reservationId)) return seat;
        return seat.status === 'held' && isOf(seat, op) ? freed(seat, op.reservationId) : undefined;
      case 'cancel':
        if (!isOf(seat, op) || (op.of !== 'either' && op.of !== seat.status)) return undefined;
        return freed(seat, op.reservationId);
      case 'seen':
        return SHOWN[seat.status] === op.status ? seat : undefined;
      case 'found':
        if (op.as === 'ended') return hasEnded(seat, op) ? seat : undefined;
        return seat.status === op.as && isOf(seat, op) ? { ...seat, by: mine(op) } : undefined;
    }
  }

  function steps(seat: Seat, op: SeatOp, fromMs: number): readonly Step<Seat>[] {
    const possible: Step<Seat>[] = [];
    const lasting = seat.status === 'held' && fromMs > seat.lapsesByMs ? undefined : outcome(seat, op);
    if (lasting !== undefined) possible.push({ state: lasting, atMs: fromMs });
    if (seat.status === 'held') {
      const state = outcome(lapsed(seat), op);
      if (state !== undefined) possible.push({ state, atMs: Math.max(fromMs, seat.lapsesFromMs) });
    }
    return possible;
  }

  return {
    initial: { status: 'free', ended: [] },
    nameOf: (seat) => JSON.stringify(seat),
    steps,
    deadlineMs: (seat) => (seat.status === 'held' ? seat.lapsesByMs : Number.POSITIVE_INFINITY),
    describe: (op) => Object.values(op).join(' '),
  };
}

const SHOWN = { free: 'AVAILABLE', held: 'HELD', sold: 'SOLD' } as const;

function mine({ userId, reservationId }: Mine): Mine {
  return { userId, reservationId };
}

function lapsed(seat: Held): Seat {
  const { reservationId } = seat.by;
  return reservationId === undefined ? { status: 'free', ended: seat.ended } : freed(seat, reservationId);
}

function freed({ ended }: Seat, reservationId: string): Seat {
  return { status: 'free', ended: [...ended, reservationId] };
}
