import type { Hold } from '#domain/booking/reservation.ts';
import type { HeldSeat } from '#ports/booking/box-office.ts';
import type { Turn } from '#ports/booking/hold-keys.ts';
import type { Ports } from '#ports/index.ts';

/** Dates whose turns are taken at once. A turn lasts for seconds, and has to come before it is over. */
const TURNS_MAX = 50;
/** Seats looked at in one step. */
const SEATS_MAX = 500;

type Needed = Pick<Ports, 'boxOffice' | 'seatHolds'>;

/**
 * Marks the seats again that are held and whose marks were lost, so that the crowd is turned away before the box office sees it.
 * Any number may do it at once: a date is the turn of one of them.
 *
 * @throws the first failure, after all other dates had their turn
 */
export async function restoreMarks(ports: Needed): Promise<void> {
  const dates = await ports.boxOffice.listDatesHeld();
  const outcomes: PromiseSettledResult<unknown>[] = [];
  for (let from = 0; from < dates.length; from += TURNS_MAX) {
    const turns = await Promise.allSettled(
      dates.slice(from, from + TURNS_MAX).map((on) => ports.seatHolds.takeTurn(on)),
    );
    outcomes.push(...turns);
    // One after the other: what was lost everywhere at once is not asked for at once.
    for (const turn of turns) {
      if (turn.status === 'rejected' || turn.value === undefined) continue;
      outcomes.push(...(await Promise.allSettled([restoreDate(ports, turn.value)])));
    }
  }
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function restoreDate({ boxOffice, seatHolds }: Needed, turn: Turn): Promise<void> {
  for (let after = 0; ; ) {
    const held = await boxOffice.listHeld(turn, { after, max: SEATS_MAX });
    const last = held.at(-1);
    if (last === undefined) break;
    if ((await seatHolds.putBack(turn, held)) === 'over') return;
    // A hold may have ended since it was read, and its mark been taken away before it was put back. So it is put back for
    // seconds, and looked at once more: whatever ends from then on finds the mark and takes it away.
    const still = await boxOffice.findHeld(
      turn,
      held.map(({ seatNumber }) => seatNumber),
    );
    const reservations = new Map(still.map(({ seatNumber, reservationId }) => [seatNumber, reservationId]));
    const over = held.filter(({ seatNumber, reservationId }) => reservations.get(seatNumber) !== reservationId);
    const [state] = await Promise.all([
      seatHolds.confirm(turn, still),
      ...over.map((seat) => seatHolds.release(holdOf(turn, seat))),
    ]);
    if (state === 'over') return;
    after = last.seatNumber;
  }
  await seatHolds.endTurn(turn);
}

function holdOf({ concertId, date }: Turn, { seatNumber, userId, reservationId }: HeldSeat): Hold {
  return { concertId, date, seatNumbers: [seatNumber], userId, reservationId };
}
