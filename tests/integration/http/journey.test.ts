import { describe, expect, test } from 'vitest';
import { payment, paymentPage } from '#adapters/http/booking/payment-schemas.ts';
import { cancellation, reservation, reservationPage } from '#adapters/http/booking/reservation-schemas.ts';
import { managedConcert } from '#adapters/http/catalog/concert-plan-schemas.ts';
import { concert, concertPage, dates, seats } from '#adapters/http/catalog/concert-schemas.ts';
import { policy } from '#adapters/http/catalog/policy-schemas.ts';
import { keptPlan } from '#adapters/http/catalog/seat-plan-schemas.ts';
import {
  delivery,
  deliveryPage,
  deliveryWithLog,
  endpoint,
  endpointPage,
  endpointWithSecret,
  replayed,
} from '#adapters/http/events/webhook-schemas.ts';
import { joined, publicQueue, queueFigures, queueStatus } from '#adapters/http/queue/queue-schemas.ts';
import { seatHistoryPage } from '#adapters/http/records/record-schemas.ts';
import { balance, charge, entryPage } from '#adapters/http/wallet/user-schemas.ts';
import { activeClient, type Client, newClient } from '#tests/support/client/client.ts';
import { operations } from '#tests/support/contract.ts';
import { answered, type Call, contractClient, type Reply } from '#tests/support/contract-client.ts';
import { DATE, PRICE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { isSignedBy, startReceiver } from '#tests/support/receiver.ts';
import { until } from '#tests/support/until.ts';
import { sharedWorld } from '#tests/support/world.ts';

const world = await sharedWorld();
const clients = world.instances.map(({ url }) => contractClient(url));
// Test files that ran before in this process have made calls as well.
answered.clear();
let calls = 0;
/** Each call goes to the next instance, as behind a load balancer. */
const call: Call = (...request) => (clients[calls++ % clients.length] as Call)(...request);

const anybody = (path: string) => call('GET', path);

async function seatStatuses(client: Client<Reply>, concertId: string): Promise<Record<number, string>> {
  const listed = (await client.seats(concertId)).as(seats);
  return Object.fromEntries(listed.items.map(({ seatNumber, status }) => [seatNumber, status]));
}

describe('a user', () => {
  test('joins, waits, is admitted, holds seats, charges, pays and owns them', async () => {
    const concertId = await world.openHall({ activeMax: 1, holdSeconds: 120 });
    const atConcert = `/v1/concerts/${concertId}`;
    expect((await anybody('/v1/concerts')).as(concertPage).items.map((item) => item.concertId)).toContain(concertId);
    expect((await anybody(atConcert)).as(concert)).toMatchObject({ sales: 'OPEN', holdSeconds: 120, currency: 'KRW' });

    const earlier = await activeClient(call, concertId);

    const fan = await newClient(call);
    expect((await fan.get(`${atConcert}/queue/challenge`)).status).toBe(204);
    const joining = await fan.join(concertId);
    const place = joining.as(joined);
    expect(joining.status).toBe(201);
    expect(place).toMatchObject({ concertId, userId: fan.userId, status: 'WAITING', position: 1, aheadCount: 0 });

    const tooEarly = await fan.get(`${atConcert}/dates`, fan.inQueue);
    expect([tooEarly.status, tooEarly.code]).toEqual([403, 'not-admitted']);
    expect(tooEarly.body).toMatchObject({ position: 1 });

    await until('the public status shows two joins', async () => {
      return (await anybody(`${atConcert}/queue/status`)).as(publicQueue).drawn === 2;
    });
    expect((await earlier.leave()).status).toBe(204);
    // Of a place that is over the stream ends by itself.
    expect((await earlier.get('/v1/queue/events', earlier.inQueue)).body).toContain('"status":"EXPIRED"');
    await fan.untilActive();
    const { sequence, joinedAt } = (await fan.poll()).as(queueStatus);
    expect({ sequence, joinedAt }).toEqual({ sequence: place.sequence, joinedAt: place.joinedAt });

    const [date] = (await fan.get(`${atConcert}/dates`, fan.inQueue)).as(dates).items;
    expect(date).toMatchObject({ date: DATE, seatsTotal: 50, seatsAvailable: 50 });
    expect(await seatStatuses(fan, concertId)).toMatchObject({ 1: 'AVAILABLE', 7: 'AVAILABLE', 50: 'AVAILABLE' });

    const reserved = await fan.reserve([8, 7]);
    const hold = reserved.as(reservation);
    expect(reserved.status).toBe(201);
    expect(hold).toMatchObject({ userId: fan.userId, seatNumbers: [7, 8], status: 'HELD', amount: 2 * PRICE });
    expect(Date.parse(hold.heldUntil) - Date.parse(hold.createdAt)).toBe(120_000);
    expect(await seatStatuses(fan, concertId)).toMatchObject({ 6: 'AVAILABLE', 7: 'HELD', 8: 'HELD' });

    const penniless = await fan.pay(hold.reservationId);
    expect([penniless.status, penniless.code]).toEqual([402, 'insufficient-balance']);
    expect(penniless.body).toMatchObject({ required: 2 * PRICE, balance: 0 });

    const charged = await fan.charge(5 * PRICE);
    expect(charged.status).toBe(201);
    expect(charged.as(charge)).toMatchObject({ userId: fan.userId, amount: 5 * PRICE, balance: 5 * PRICE });

    const paying = await fan.pay(hold.reservationId);
    const paid = paying.as(payment);
    expect(paying.status).toBe(201);
    expect(paid).toMatchObject({ reservationId: hold.reservationId, amount: 2 * PRICE, balance: 3 * PRICE });

    expect((await fan.get(`/v1/users/${fan.userId}/balance`)).as(balance).balance).toBe(3 * PRICE);
    const { items: entries } = (await fan.get(`/v1/users/${fan.userId}/balance/entries`)).as(entryPage);
    expect(entries.map(({ kind, amount, balance }) => ({ kind, amount, balance }))).toEqual([
      { kind: 'PURCHASE', amount: -2 * PRICE, balance: 3 * PRICE },
      { kind: 'CHARGE', amount: 5 * PRICE, balance: 5 * PRICE },
    ]);
    expect(entries[0]?.transactionId).toBe(paid.paymentId);
    const confirmed = { ...hold, status: 'CONFIRMED' };
    expect((await fan.get(`/v1/reservations/${hold.reservationId}`)).as(reservation)).toEqual(confirmed);
    expect((await fan.get('/v1/reservations')).as(reservationPage)).toEqual({ items: [confirmed] });
    expect((await fan.get(`/v1/payments/${paid.paymentId}`)).as(payment)).toEqual(paid);
    expect((await fan.get('/v1/payments')).as(paymentPage)).toEqual({ items: [paid] });

    expect((await fan.poll()).as(queueStatus).status).toBe('EXPIRED');
    expect((await fan.reserve([9])).code).toBe('session-expired');

    const next = await activeClient(call, concertId);
    expect(await seatStatuses(next, concertId)).toMatchObject({ 6: 'AVAILABLE', 7: 'SOLD', 8: 'SOLD' });
    const late = await next.reserve([8, 9]);
    expect([late.status, late.code]).toEqual([409, 'seat-taken']);
    expect(late.body).toMatchObject({ seatNumbers: [8] });
    const [left] = (await next.get(`${atConcert}/dates`, next.inQueue)).as(dates).items;
    expect(left).toMatchObject({ seatsTotal: 50, seatsAvailable: 48 });
  });

  test('extends a hold, pays, cancels, and gets the price back', async () => {
    const concertId = await world.openHall({ holdSeconds: 120, holdSecondsMax: 121 });
    const [fan, other] = [await activeClient(call, concertId), await activeClient(call, concertId)];
    await fan.charge(5 * PRICE);
    const hold = (await fan.reserve([1, 2])).as(reservation);

    await until('the hold can be extended', async () => {
      const extended = (await fan.extend(hold.reservationId)).as(reservation);
      expect(extended).toMatchObject({ seatNumbers: [1, 2], status: 'HELD', amount: 2 * PRICE });
      return Date.parse(extended.heldUntil) - Date.parse(hold.createdAt) === 121_000;
    });
    const atCeiling = await fan.extend(hold.reservationId);
    expect([atCeiling.status, atCeiling.code]).toEqual([409, 'hold-at-ceiling']);
    const { heldForSeconds } = (await fan.get(`/v1/reservations/${hold.reservationId}`)).as(reservation);
    expect(heldForSeconds).toBe(121);
    const theirs = await other.extend(hold.reservationId);
    expect([theirs.status, theirs.code]).toEqual([404, 'reservation-not-found']);

    const paid = (await fan.pay(hold.reservationId)).as(payment);
    expect((await fan.poll()).as(queueStatus).status).toBe('EXPIRED');
    expect((await other.cancel(hold.reservationId)).code).toBe('reservation-not-found');
    const cancelling = await fan.cancel(hold.reservationId, 'cancel');
    expect(cancelling.status).toBe(201);
    const { reservation: cancelled, refund } = cancelling.as(cancellation);
    expect(cancelled).toMatchObject({ reservationId: hold.reservationId, status: 'CANCELLED', heldForSeconds });
    expect(refund).toMatchObject({ paymentId: paid.paymentId, amount: 2 * PRICE, balance: 5 * PRICE });

    const again = await fan.cancel(hold.reservationId, 'cancel');
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(cancelling.body);
    const twice = await fan.cancel(hold.reservationId);
    expect([twice.status, twice.code]).toEqual([409, 'already-cancelled']);
    expect((await fan.get(`/v1/payments/${paid.paymentId}`)).as(payment)).toEqual({
      ...{ ...paid, refundedAt: refund?.refundedAt },
    });
    expect((await fan.get(`/v1/reservations/${hold.reservationId}`)).as(reservation)).toEqual(cancelled);
    const { items } = (await fan.get(`/v1/users/${fan.userId}/balance/entries?limit=2`)).as(entryPage);
    expect(items.map(({ kind, amount, transactionId }) => ({ kind, amount, transactionId }))).toEqual([
      { kind: 'REFUND', amount: 2 * PRICE, transactionId: refund?.refundId },
      { kind: 'PURCHASE', amount: -2 * PRICE, transactionId: paid.paymentId },
    ]);

    await other.charge(2 * PRICE);
    const resold = (await other.reserve([2])).as(reservation);
    expect((await other.pay(resold.reservationId)).status).toBe(201);
  });

  test('keeps paid seats after the refund deadline, and can still release a hold', async () => {
    const concertId = await world.openHall({ refundUntilSeconds: -1 });
    expect((await anybody(`/v1/concerts/${concertId}`)).as(concert)).toMatchObject({ refundUntilSeconds: -1 });
    const fan = await activeClient(call, concertId);
    await fan.charge(2 * PRICE);
    const [held, bought] = [(await fan.reserve([1])).as(reservation), (await fan.reserve([2])).as(reservation)];
    await fan.pay(bought.reservationId);

    const closed = await fan.cancel(bought.reservationId);
    expect([closed.status, closed.code]).toEqual([403, 'refund-closed']);
    const released = (await fan.cancel(held.reservationId)).as(cancellation);
    expect(released).toEqual({ reservation: { ...held, status: 'CANCELLED' } });
    expect((await fan.get(`/v1/reservations/${bought.reservationId}`)).as(reservation).status).toBe('CONFIRMED');
    expect((await fan.get(`/v1/users/${fan.userId}/balance`)).as(balance).balance).toBe(PRICE);
  });

  test('releases seats, and another user takes them', async () => {
    const concertId = await world.openHall();
    const [fan, other] = [await activeClient(call, concertId), await activeClient(call, concertId)];
    const { reservationId } = (await fan.reserve([1, 2])).as(reservation);
    expect((await other.reserve([2])).code).toBe('seat-taken');

    expect((await fan.release(reservationId)).status).toBe(204);

    expect((await fan.get(`/v1/reservations/${reservationId}`)).as(reservation).status).toBe('CANCELLED');
    expect((await fan.pay(reservationId)).code).toBe('reservation-not-held');
    expect((await other.reserve([2])).status).toBe(201);
    expect(await seatStatuses(fan, concertId)).toMatchObject({ 1: 'AVAILABLE', 2: 'HELD' });
  });

  test('who does not pay in time loses the seats and pays nothing', async () => {
    const concertId = await world.openHall({ holdSeconds: 1 });
    const [fan, other] = [await activeClient(call, concertId), await activeClient(call, concertId)];
    await fan.charge(PRICE);
    const { reservationId } = (await fan.reserve([1])).as(reservation);

    await until('another user has the seat', async () => (await other.reserve([1])).status === 201);

    expect((await fan.get(`/v1/reservations/${reservationId}`)).as(reservation).status).toBe('EXPIRED');
    const late = await fan.pay(reservationId);
    expect([late.status, late.code]).toEqual([410, 'hold-expired']);
    expect((await fan.get(`/v1/users/${fan.userId}/balance`)).as(balance).balance).toBe(PRICE);
    expect((await fan.release(reservationId)).code).toBe('hold-expired');
  });

  test('who repeats a command gets the first answer again, and one effect', async () => {
    const concertId = await world.openHall({ holdSeconds: 60 });
    const fan = await activeClient(call, concertId);

    const charges = [await fan.charge(2 * PRICE, 'charge'), await fan.charge(2 * PRICE, 'charge')];
    const holds = [await fan.reserve([1], 'reserve'), await fan.reserve([1], 'reserve')];
    const { reservationId } = holds[0]?.as(reservation) ?? { reservationId: '' };
    const payments = [await fan.pay(reservationId, 'pay'), await fan.pay(reservationId, 'pay')];

    for (const [first, again] of [charges, holds, payments]) {
      expect([first?.status, first?.headers.get('idempotency-replayed')]).toEqual([201, null]);
      expect([again?.status, again?.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      expect(again?.body).toEqual(first?.body);
    }
    expect((await fan.get(`/v1/users/${fan.userId}/balance`)).as(balance).balance).toBe(PRICE);
    expect((await fan.get('/v1/payments')).as(paymentPage).items).toHaveLength(1);

    const reused = await fan.charge(PRICE, 'charge');
    expect([reused.status, reused.code]).toEqual([422, 'idempotency-key-reused']);
    const afterwards = await fan.pay(reservationId);
    expect([afterwards.status, afterwards.code]).toEqual([409, 'already-paid']);
    await fan.enter(concertId);
    const again = await fan.pay(reservationId);
    expect([again.status, again.code]).toEqual([409, 'already-paid']);
    expect((await fan.release(reservationId)).code).toBe('already-paid');
  });

  test('who has reached the seat limit gets no more seats of that date', async () => {
    const concertId = await world.openHall({ seatsPerUserMax: 2 });
    const fan = await activeClient(call, concertId);
    await fan.reserve([1]);

    const greedy = await fan.reserve([2, 3]);

    expect([greedy.status, greedy.code]).toEqual([409, 'seat-limit-reached']);
    expect(greedy.body).toMatchObject({ limit: 2, held: 1 });
    expect((await fan.reserve([2])).status).toBe(201);
  });
});

describe('an operator', () => {
  const authorized = { authorization: `Bearer ${ADMIN_KEY}` };
  const manage = (method: string, path: string, body?: unknown) =>
    call(method, `/v1/admin/concerts${path}`, { headers: authorized, body });

  test('puts a concert on sale, reads its queue, changes its policy, pauses and resumes', async () => {
    const startsAt = '2099-05-01T10:00:00.000Z';
    const created = await manage('POST', '', {
      title: 'A new one',
      venue: 'A hall',
      salesOpenAt: '2026-01-01T00:00:00.000Z',
      dates: [{ date: DATE, startsAt, seats: [{ first: 1, last: 10, price: PRICE }] }],
      policy: { activeMax: 1 },
    });
    expect(created.status).toBe(201);
    const { concertId } = created.as(managedConcert);
    const [first, second] = [await newClient(call), await newClient(call)];
    await first.enter(concertId);
    await second.join(concertId);
    expect((await manage('GET', `/${concertId}/line`)).as(queueFigures)).toMatchObject({
      waiting: 1,
      active: 1,
      drawn: 2,
    });

    expect((await manage('POST', `/${concertId}/pause`)).as(policy)).toMatchObject({ paused: true, activeMax: 1 });
    expect((await manage('PATCH', `/${concertId}/policy`, { activeMax: 2 })).as(policy).activeMax).toBe(2);
    expect((await second.poll()).as(queueStatus).status).toBe('WAITING');
    expect((await manage('POST', `/${concertId}/resume`)).as(policy).paused).toBe(false);
    await second.untilActive();
    await until('all instances know the policy', async () => {
      return (await manage('GET', `/${concertId}/policy`)).as(policy).activeMax === 2;
    });
    expect(await seatStatuses(second, concertId)).toMatchObject({ 1: 'AVAILABLE', 10: 'AVAILABLE' });
  });

  test('defines a hall, blocks and unblocks seats, and a user gets the best two of the rest', async () => {
    const plan = {
      version: 1,
      grades: [{ grade: 'R', price: PRICE }],
      sections: [{ section: 'Stalls', rows: [{ row: 'A', seats: [{ first: 1, last: 6, grade: 'R' }] }] }],
      blocked: [],
    };
    const created = await manage('POST', '', {
      title: 'A new one',
      venue: 'A hall',
      salesOpenAt: '2026-01-01T00:00:00.000Z',
      dates: [{ date: DATE, startsAt: '2099-05-01T10:00:00.000Z' }],
      seatPlan: plan,
    });
    const { concertId } = created.as(managedConcert);
    expect((await manage('GET', `/${concertId}/seat-plan`)).as(keptPlan).plan).toEqual(plan);
    const onSeats = (word: string, ...seatNumbers: number[]) =>
      manage('POST', `/${concertId}/dates/${DATE}/seats/${word}`, { seatNumbers });
    expect((await onSeats('block', 3, 4, 5)).status).toBe(204);
    expect((await onSeats('unblock', 5)).status).toBe(204);

    const fan = await activeClient(call, concertId);
    const held = await fan.reserveBest({ quantity: 2, section: 'Stalls' });
    // Two blocks are equally good: contenders are spread over them.
    const { seatNumbers } = held.as(reservation);
    expect([
      [1, 2],
      [5, 6],
    ]).toContainEqual(seatNumbers);
    const [first = 0] = seatNumbers;
    expect(await seatStatuses(fan, concertId)).toMatchObject({ [first]: 'HELD', 3: 'BLOCKED', 4: 'BLOCKED' });

    const history = (await manage('GET', `/${concertId}/dates/${DATE}/seats/5/history?limit=100`)).as(seatHistoryPage);
    const became = first === 5 ? ['held'] : [];
    expect(history.items.map(({ change }) => change).reverse()).toEqual(['created', 'blocked', 'unblocked', ...became]);
    const exported = await call('GET', `/v1/admin/exports/seat-history?format=csv&concertId=${concertId}`, {
      headers: authorized,
    });
    expect(String(exported.body).trim().split('\r\n')).toHaveLength(1 + 3 + 1 + 2);
  });
});

describe('an operator with a webhook endpoint', () => {
  const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` };
  const manage = (method: string, path: string, body?: unknown) =>
    call(method, `/v1/admin/webhooks${path}`, { headers: asAdmin, body });

  test('makes an endpoint, tries it, looks at what became of it, sends it again, changes the secret, deletes it', async () => {
    const shop = await startReceiver();
    const made = (await manage('POST', '', { url: shop.url, eventTypes: ['payment.refunded'] })).as(endpointWithSecret);
    const path = `/${made.endpointId}`;
    expect((await manage('GET', '')).as(endpointPage).items.map(({ endpointId }) => endpointId)).toContain(
      made.endpointId,
    );
    expect((await manage('PATCH', path, { eventTypes: ['payment.captured'] })).as(endpoint).eventTypes).toHaveLength(1);

    const { deliveryId } = (await manage('POST', `${path}/test`)).as(delivery);
    const state = async () => (await manage('GET', `${path}/deliveries/${deliveryId}`)).as(deliveryWithLog).state;
    await until('the test arrives', async () => (await state()) === 'DELIVERED');
    const [request] = shop.received;
    expect(request !== undefined && isSignedBy(made.secret, request)).toBe(true);
    expect((await manage('GET', `${path}/deliveries`)).as(deliveryPage).items).toHaveLength(1);
    expect((await manage('POST', `${path}/deliveries/${deliveryId}/replay`)).status).toBe(202);
    await until('it arrives again', () => shop.received.length === 2);
    const since = { since: '2026-01-01T00:00:00.000Z' };
    expect((await manage('POST', `${path}/replay`, since)).as(replayed)).toEqual({ replayed: 0 });
    const rotated = (await manage('POST', `${path}/rotate-secret`, { previousForSeconds: 60 })).as(endpointWithSecret);
    expect(rotated.secret).not.toBe(made.secret);
    expect((await manage('GET', path)).as(endpoint)).toMatchObject({
      previousSecretUntil: rotated.previousSecretUntil,
    });
    expect((await manage('DELETE', path)).status).toBe(204);
  });
});

test('the document has no call that was not made here', async () => {
  await Promise.all(['/livez', '/readyz'].map(anybody));
  const made = new Set([...answered].filter((entry) => / 20\d$/.test(entry)).map((entry) => entry.split(' ')[0]));
  expect([...made].sort()).toEqual(operations.map(({ operation }) => operation.operationId).sort());
});
