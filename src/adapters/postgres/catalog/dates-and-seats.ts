import { singleFlight } from '#adapters/memory/single-flight.ts';
import type { Ask } from '#adapters/postgres/client/statement.ts';
import type { Seat } from '#domain/catalog/concert.ts';
import { concertDate } from '#domain/ids.ts';
import type { Concerts } from '#ports/catalog/concerts.ts';
import { concertStatements, type SeatRow } from './concert-statements.ts';

type DatesAndSeats = Pick<Concerts, 'listDates' | 'listSeats' | 'findSeatPlan'>;

export function datesAndSeats(ask: Ask): DatesAndSeats {
  const listDates = singleFlight(async (id) => {
    const rows = await ask(concertStatements.listDates, id);
    return rows.map((row) => ({ ...row, date: concertDate(row.date) }));
  });

  const listSeats = singleFlight(async (key) => {
    const [id = '', date = ''] = key.split(' ');
    const rows = await ask(concertStatements.listSeats, id, date);
    return rows.length === 0 ? undefined : rows.map(toSeat);
  });

  return {
    listDates,
    listSeats: (id, date) => listSeats(`${id} ${date}`),

    async findSeatPlan(id) {
      const [kept] = await ask(concertStatements.findSeatPlan, id);
      return kept;
    },
  };
}

function toSeat({ seatNumber, price, status, section, row, place, grade }: SeatRow): Seat {
  const seat = { seatNumber, price: Number(price), status };
  if (section === null || row === null || place === null || grade === null) return seat;
  return { ...seat, at: { section, row, place, grade } };
}
