import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { AccessTokens } from '#adapters/http/guards/access-token.ts';
import { userId } from '#domain/ids.ts';
import { apiClient, type Client, fetchTransport } from '#tests/support/client/client.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import type { ServerProcess } from './processes.ts';

const ACTIVE = 200;
/** About 25 payments a second. */
const STAY_MS_MAX = 16_000;
const OBSERVE_EVERY_MS = 8;
/** So many of those next in line ask all the time: more than are let in within a tenth of a second. */
const OBSERVED = 8;

/**
 * Milliseconds from sending a payment until somebody is told that they are in, while 200 sessions turn over: whoever is in
 * stays for a while, pays and is gone. Payments and those told in are each taken in order: so many people are in after so
 * many payments, whoever they are.
 */
export async function measureRefill(
  pool: Pool,
  identity: AccessTokens,
  servers: readonly ServerProcess[],
  turnovers: number,
): Promise<number[]> {
  const concertId = await openHall(pool, { seats: ACTIVE + turnovers, activeMax: ACTIVE });
  const users = await makeUsers(pool, ACTIVE + turnovers, PRICE);
  let requests = 0;
  const transport = fetchTransport(() => servers[requests++ % servers.length]?.url ?? '');
  const fans = users.map((id) => apiClient(transport, { userId: id, ...identity.issue(userId(id)) }));
  // One after the other: who is next is then known.
  for (const fan of fans) await fan.join(concertId);

  const paidAt: number[] = [];
  const toldAt: number[] = [];
  let seats = 0;

  async function stayAndPay(fan: Client, reservationId: string): Promise<void> {
    await pause(Math.random() * STAY_MS_MAX);
    if (paidAt.length === turnovers) return;
    paidAt.push(performance.now());
    const { status } = await fan.pay(reservationId);
    if (status !== 201) throw new Error(`a payment was answered ${status}`);
  }
  async function enter(fan: Client): Promise<() => Promise<void>> {
    await fan.untilActive();
    const reservationId = await fan.hold(++seats);
    return () => stayAndPay(fan, reservationId);
  }
  async function observe(fan: Client): Promise<void> {
    while ((await fan.poll()).body.status !== 'ACTIVE') await pause(OBSERVE_EVERY_MS);
    toldAt.push(performance.now());
    visits.push(enter(fan).then((visit) => visit()));
  }

  // Nobody pays until the first two hundred have settled in: else the first payments would wait for all their holds.
  const first = await inParallel(fans.slice(0, ACTIVE), 8, enter);
  const visits = first.map((visit) => visit());
  const observed = inParallel(fans.slice(ACTIVE), OBSERVED, observe);
  // All at once: where a payment fails, somebody waits for ever.
  await Promise.all([observed, ...visits]);
  await Promise.all(visits);
  return toldAt.map((told, turn) => told - (paidAt[turn] ?? Number.NaN));
}
