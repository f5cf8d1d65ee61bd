// What a box office and its wallets are to do, told a second time and as shortly as it can be: one value, and what each event
// makes of it. It shares nothing with the fakes, nor with the statements.

/** Of one date. Deadlines are most of a minute away from each step of time: the moments that a real clock goes on decide nothing. */
export const HALL = {
  seats: 5,
  prices: [1_000, 1_000, 2_000, 4_000, 5_000],
  blocked: [5],
  users: 3,
  seatsPerUserMax: 3,
  holdSeconds: 350,
  holdSecondsMax: 450,
  holdsPerSessionMax: 4,
  sessionSeconds: 350,
  startsInSeconds: 2_050,
  refundUntilSeconds: 1_500,
  /** What each begins with. */
  purse: 4_000,
  balanceMax: 12_000,
  stepSeconds: 100,
} as const;

/** The reservation that this user made, so many before the latest, counted round. */
type Which = { readonly owner: number; readonly before: number };
/** Of few keys, so that some are used again. Left out: one that nobody has used. */
type Keyed = { readonly who: number; readonly key?: number | undefined };
export type BookingEvent =
  | ({ readonly kind: 'hold'; readonly seats: readonly number[] } & Keyed)
  | ({ readonly kind: 'extend' | 'pay' | 'cancel'; readonly of: Which } & Keyed)
  | { readonly kind: 'release'; readonly who: number; readonly of: Which }
  | ({ readonly kind: 'charge'; readonly amount: number } & Keyed)
  | { readonly kind: 'block' | 'unblock'; readonly seats: readonly number[] }
  | { readonly kind: 'expire' }
  | { readonly kind: 'pass'; readonly steps: number };

type Booked = {
  readonly who: number;
  readonly seats: readonly number[];
  readonly price: number;
  readonly from: number;
  until: number;
  state: 'HELD' | 'CONFIRMED' | 'CANCELLED';
};
type Transfer = { readonly kind: 'CHARGE' | 'PURCHASE' | 'REFUND'; readonly amount: number };

export type Model = {
  now: number;
  readonly blocked: number[];
  /** Each user's, in the order in which they were made. */
  readonly booked: Booked[][];
  /** Each user's, oldest first. */
  readonly transfers: Transfer[][];
  readonly answers: Record<string, { readonly asked: string; readonly answer: object }>;
};

const each = <T>(make: () => T): T[] => Array.from({ length: HALL.users }, make);

export function openedModel(): Model {
  return {
    now: 0,
    blocked: [...HALL.blocked],
    booked: each(() => []),
    transfers: each(() => [{ kind: 'CHARGE', amount: HALL.purse }]),
    answers: {},
  };
}

const refusal = (code: string, facts?: object) => ({ refusal: code, ...facts });
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const isLive = ({ now }: Model, { state, until }: Booked) => state === 'CONFIRMED' || (state === 'HELD' && until > now);

export const statusOf = (model: Model, one: Booked) =>
  one.state === 'HELD' && !isLive(model, one) ? 'EXPIRED' : one.state;
export const balanceOf = ({ transfers }: Model, who: number) => sum((transfers[who] ?? []).map(({ amount }) => amount));

/** A seat is whose live reservation has it; that at most one does is what all of this is about. */
function takersOf(model: Model, seat: number): Booked[] {
  return model.booked.flat().filter((one) => one.seats.includes(seat) && isLive(model, one));
}

export function seatsOf(model: Model): string[] {
  return HALL.prices.map((_, index) => {
    const [taker] = takersOf(model, index + 1);
    if (taker !== undefined) return taker.state === 'HELD' ? 'HELD' : 'SOLD';
    return model.blocked.includes(index + 1) ? 'BLOCKED' : 'AVAILABLE';
  });
}

/** What the event is answered, and what it does to the model. */
export function happens(model: Model, event: BookingEvent): object {
  if (!('key' in event) || event.key === undefined) return effectOf(model, event);
  const { who, key, ...rest } = event;
  const [name, asked] = [`${who} ${key}`, JSON.stringify(rest)];
  const known = model.answers[name];
  if (known !== undefined) {
    return known.asked === asked ? { ...known.answer, replayed: true } : refusal('idempotency-key-reused');
  }
  const answer = effectOf(model, event);
  if (!('refusal' in answer)) model.answers[name] = { asked, answer };
  return answer;
}

function effectOf(model: Model, event: BookingEvent): object {
  switch (event.kind) {
    case 'pass':
      model.now += event.steps * HALL.stepSeconds;
      return {};
    case 'expire':
      // Tidying changes nothing that anybody can see.
      return {};
    case 'hold':
      return hold(model, event.who, event.seats);
    case 'charge':
      return charge(model, event.who, event.amount);
    case 'block':
    case 'unblock':
      return setBlocked(model, event.seats, event.kind === 'block');
    default: {
      const own = model.booked[event.of.owner] ?? [];
      const one = own.at(-1 - (event.of.before % own.length));
      if (one === undefined || event.of.owner !== event.who) return refusal('reservation-not-found');
      return { extend, pay, release, cancel }[event.kind](model, one);
    }
  }
}

const unknownOf = (seats: readonly number[]) => seats.filter((seat) => seat > HALL.seats);

function hold(model: Model, who: number, seats: readonly number[]): object {
  if (model.now >= HALL.startsInSeconds) return refusal('date-not-found');
  if (unknownOf(seats).length > 0) return refusal('seat-not-found', { seatNumbers: unknownOf(seats) });
  const taken = seats.filter((seat) => model.blocked.includes(seat) || takersOf(model, seat).length > 0);
  if (taken.length > 0) return refusal('seat-taken', { seatNumbers: taken });
  const own = model.booked[who] ?? [];
  const held = sum(own.filter((one) => isLive(model, one)).map((one) => one.seats.length));
  if (held + seats.length > HALL.seatsPerUserMax)
    return refusal('seat-limit-reached', { limit: HALL.seatsPerUserMax, held });

  const recent = own.filter(({ from }) => from > model.now - HALL.sessionSeconds);
  if (recent.length >= HALL.holdsPerSessionMax)
    return refusal('hold-limit-reached', { limit: HALL.holdsPerSessionMax, withinSeconds: HALL.sessionSeconds });

  const price = sum(seats.map((seat) => HALL.prices[seat - 1] ?? 0));
  own.push({ who, seats, price, from: model.now, until: model.now + HALL.holdSeconds, state: 'HELD' });
  return { status: 'HELD', seats, amount: price, steps: stepsOf(HALL.holdSeconds), replayed: false };
}

/** A hold's length, to the step. */
export const stepsOf = (seconds: number) => Math.floor(seconds / HALL.stepSeconds);

function extend(model: Model, one: Booked): object {
  const status = statusOf(model, one);
  if (status === 'CONFIRMED') return refusal('already-paid');
  if (status === 'CANCELLED') return refusal('reservation-not-held');
  if (status === 'EXPIRED') return refusal('hold-expired');
  const ceiling = one.from + HALL.holdSecondsMax;
  if (one.until >= ceiling) return refusal('hold-at-ceiling');
  one.until = Math.max(one.until, Math.min(ceiling, model.now + HALL.holdSeconds));
  const { seats, price } = one;
  return { status: 'HELD', seats, amount: price, steps: stepsOf(one.until - one.from), replayed: false };
}

function pay(model: Model, one: Booked): object {
  const status = statusOf(model, one);
  if (status === 'CONFIRMED') return refusal('already-paid');
  if (status === 'CANCELLED') return refusal('reservation-not-held');
  if (status === 'EXPIRED') return refusal('hold-expired');
  const balance = balanceOf(model, one.who);
  if (balance < one.price) return refusal('insufficient-balance', { required: one.price, balance });
  one.state = 'CONFIRMED';
  model.transfers[one.who]?.push({ kind: 'PURCHASE', amount: -one.price });
  return { amount: one.price, balance: balance - one.price, replayed: false };
}

function release(model: Model, one: Booked): object {
  const status = statusOf(model, one);
  if (status === 'CONFIRMED') return refusal('already-paid');
  if (status === 'EXPIRED') return refusal('hold-expired');
  one.state = 'CANCELLED';
  return { seats: one.seats };
}

function cancel(model: Model, one: Booked): object {
  const status = statusOf(model, one);
  if (status === 'CANCELLED') return refusal('already-cancelled');
  if (status === 'EXPIRED') return refusal('hold-expired');
  const given = { status: 'CANCELLED', seats: one.seats, amount: one.price, replayed: false };
  if (status === 'CONFIRMED') {
    if (model.now >= HALL.startsInSeconds - HALL.refundUntilSeconds) return refusal('refund-closed');
    model.transfers[one.who]?.push({ kind: 'REFUND', amount: one.price });
  }
  one.state = 'CANCELLED';
  return status === 'HELD' ? given : { ...given, refund: one.price, balance: balanceOf(model, one.who) };
}

function charge(model: Model, who: number, amount: number): object {
  const balance = balanceOf(model, who);
  if (balance + amount > HALL.balanceMax) {
    // A refund may have gone beyond it.
    return refusal('amount-out-of-range', { min: 1, max: Math.max(0, HALL.balanceMax - balance) });
  }
  model.transfers[who]?.push({ kind: 'CHARGE', amount });
  return { amount, balance: balance + amount, replayed: false };
}

function setBlocked(model: Model, seats: readonly number[], blocked: boolean): object {
  if (unknownOf(seats).length > 0) return refusal('seat-not-found', { seatNumbers: unknownOf(seats) });
  const taken = seats.filter((seat) => takersOf(model, seat).length > 0);
  if (blocked && taken.length > 0) return refusal('seat-taken', { seatNumbers: taken });
  for (const seat of seats) {
    const at = model.blocked.indexOf(seat);
    if (blocked && at < 0) model.blocked.push(seat);
    if (!blocked && at >= 0) model.blocked.splice(at, 1);
  }
  return {};
}
