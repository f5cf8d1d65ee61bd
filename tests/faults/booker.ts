import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Asked, Ending, Known } from '#tests/history/calls.ts';
import type { Answer, Client } from '#tests/support/client/client.ts';
import { PRICE } from '#tests/support/hall.ts';
import type { Recorder } from './recorder.ts';

/** Somebody who books, changes their mind, repeats what got no answer, or does not care. */
export type Booker = {
  /** Does one thing after the other until told to stop. */
  keepBooking(signal: AbortSignal): Promise<void>;
  /** Reads all that is theirs, and the seats if they may. */
  lookAtAll(): Promise<readonly Ending[]>;
};

const POLL_MS = 50;
const THINK_MS_MAX = 100;
const REPEATS_MAX = 30;
/** So that a page of a hundred is a list of all. */
const BOOKINGS_MAX = 90;
/** These are wanted by everybody. */
const HOT_SEATS = 6;

const WORTH_REPEATING = new Set(['busy', 'idempotency-key-in-use']);

/** Out of a hundred, up to here. */
const MOODS = { payAndCharge: 10, pay: 60, release: 75, cancel: 95 };
const RELEASING = MOODS.pay;

const chance = (percent: number) => randomInt(100) < percent;

/** @param lacking what has not been done often enough; chance is helped along then */
export function bookerOf(
  fan: Client,
  concertId: string,
  { ask, askAside }: Recorder,
  lacking: () => ReadonlySet<Asked['what']>,
): Booker {
  const { userId } = fan;
  const read = {
    balance: () => fan.get(`/v1/users/${userId}/balance`),
    payments: () => fan.get('/v1/payments?limit=100'),
    reservations: () => fan.get('/v1/reservations?limit=100'),
    seats: () => fan.seats(concertId),
  };
  const look = (what: keyof typeof read) => ask(userId, { what }, read[what]);

  /** Most repeat what is unclear, under its key, until it is clear. Some never learn. */
  async function want(asked: Asked, send: (key: string) => Promise<Answer>, signal: AbortSignal): Promise<Ending> {
    const key = randomUUID();
    let ending = await ask(userId, asked, send, key);
    const repeats = chance(75) ? REPEATS_MAX : 0;
    for (let i = 0; i < repeats && isOpen(ending) && !signal.aborted; i++) ending = await ask(userId, asked, send, key);
    return ending;
  }

  async function getIn(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const queueStatus = fan.token === '' ? undefined : await askAside(fan.poll);
      if (queueStatus?.body.status === 'ACTIVE') return true;
      if (fan.token === '' || queueStatus?.body.status === 'EXPIRED') await askAside(() => fan.join(concertId));
      await pause(POLL_MS);
    }
    return false;
  }

  /** The seats to ask for: one that everybody wants, or one or two that are free. */
  async function choose(): Promise<number[] | undefined> {
    const seats = await look('seats');
    if (seats.kind !== 'done') return undefined;
    if (chance(30)) return [1 + randomInt(HOT_SEATS)];
    const free = (seats.said.items ?? []).filter(({ status }) => status === 'AVAILABLE');
    if (free.length === 0) return undefined;
    const first = free[randomInt(free.length)]?.seatNumber ?? 1;
    const beside = free.find(({ seatNumber }) => seatNumber === first + 1);
    return beside !== undefined && chance(40) ? [first, first + 1] : [first];
  }

  async function reserve(signal: AbortSignal): Promise<Known | undefined> {
    const seatNumbers = await choose();
    if (seatNumbers === undefined) return undefined;
    const asked: Asked = { what: 'reserve', seatNumbers };
    const ending = await want(asked, (key) => fan.reserve(seatNumbers, key), signal);
    if (ending.kind === 'done') return known(ending.said);
    if (ending.kind === 'refused') return undefined;
    // It may have been held all the same.
    const mine = await look('reservations');
    const held = mine.kind === 'done' ? mine.said.items?.find(({ status }) => status === 'HELD') : undefined;
    return held === undefined ? undefined : known(held);
  }

  const charge = (signal: AbortSignal) => {
    // Hardly ever the same twice, so that the balance tells which of them it has.
    const amount = PRICE + randomInt(5 * PRICE);
    return want({ what: 'charge', amount }, (key) => fan.charge(amount, key), signal);
  };

  async function pay(reservation: Known, signal: AbortSignal): Promise<void> {
    const send = (key: string) => fan.pay(reservation.reservationId, key);
    const paid = await want({ what: 'pay', reservation }, send, signal);
    if (paid.kind === 'refused' && paid.code === 'insufficient-balance') await charge(signal);
    if (paid.kind === 'done' && chance(90)) await cancel(reservation, signal);
  }

  const extend = (reservation: Known, signal: AbortSignal) =>
    want({ what: 'extend', reservation }, (key) => fan.extend(reservation.reservationId, key), signal);

  const cancel = (reservation: Known, signal: AbortSignal) =>
    want({ what: 'cancel', reservation }, (key) => fan.cancel(reservation.reservationId, key), signal);

  const release = (reservation: Known) =>
    ask(userId, { what: 'release', reservation }, () => fan.release(reservation.reservationId));

  async function book(signal: AbortSignal): Promise<void> {
    if (chance(40)) await charge(signal);
    if (!(await getIn(signal))) return;
    const reservation = await reserve(signal);
    if (reservation === undefined) return;
    await pause(randomInt(THINK_MS_MAX));
    const missing = lacking();
    if (chance(missing.has('extend') ? 75 : 25)) await extend(reservation, signal);
    const mood = missing.has('release') && chance(50) ? RELEASING : randomInt(100);
    // Both at once, as from two windows.
    if (mood < MOODS.payAndCharge) await Promise.all([pay(reservation, signal), charge(signal)]);
    else if (mood < MOODS.pay) await pay(reservation, signal);
    else if (mood < MOODS.release) await release(reservation);
    else if (mood < MOODS.cancel) await cancel(reservation, signal);
    // The rest walk away, and the hold runs out.
  }

  return {
    async keepBooking(signal) {
      for (let bookings = 0; !signal.aborted; bookings++) {
        if (bookings < BOOKINGS_MAX) await book(signal);
        await look((['balance', 'payments', 'reservations'] as const)[randomInt(3)] ?? 'balance');
        await pause(randomInt(THINK_MS_MAX));
      }
    },
    async lookAtAll() {
      // Only a client that is let in sees the seats. Its last booking may have ended its session.
      const queueStatus = await askAside(fan.poll);
      if (queueStatus?.body.status === 'EXPIRED') await askAside(() => fan.join(concertId));
      return Promise.all([look('balance'), look('payments'), look('reservations'), look('seats')]);
    },
  };
}

/** Unclear, too early, or asked again before the first time was over. */
function isOpen(ending: Ending): boolean {
  return ending.kind === 'unclear' || (ending.kind === 'refused' && WORTH_REPEATING.has(ending.code));
}

function known({ reservationId = '', seatNumbers = [], amount = Number.NaN }: Partial<Known>): Known {
  return { reservationId, seatNumbers, amount };
}
