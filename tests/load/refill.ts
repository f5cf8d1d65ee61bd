import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Identity } from '#adapters/http/identity.ts';
import { userId } from '#domain/ids.ts';
import { type Fan, fanAt } from '#tests/support/fan.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import { inParallel } from '#tests/support/in-parallel.ts';
import type { ServerProcess } from './processes.ts';

const ACTIVE = 200;
const OBSERVE_EVERY_MS = 4;
/** So that payments do not fall into step with the admission of the one before. */
const BETWEEN_PAYMENTS_MS_MAX = 200;

/** Milliseconds from sending a payment until the next person in line is told that they are in, at another instance. */
export async function measureRefill(
  pool: Pool,
  identity: Identity,
  servers: readonly ServerProcess[],
  turnovers: number,
): Promise<number[]> {
  const concertId = await openHall(pool, { seats: turnovers, activeMax: ACTIVE });
  const users = await makeUsers(pool, ACTIVE + turnovers, PRICE);
  let knocks = 0;
  const door = () => servers[knocks++ % servers.length]?.url ?? '';
  const fans: Fan[] = await inParallel(users, 8, async (id) =>
    fanAt(door, { userId: id, ...identity.issue(userId(id)) }),
  );
  // One after the other: who is next is then known.
  for (const fan of fans) await fan.join(concertId);
  await inParallel(fans.slice(0, ACTIVE), 8, (fan) => fan.untilActive());

  const milliseconds: number[] = [];
  for (let turn = 0; turn < turnovers; turn++) {
    const [paying, next] = [fans[turn] as Fan, fans[turn + ACTIVE] as Fan];
    const reservationId = await paying.hold(turn + 1);
    await pause(Math.random() * BETWEEN_PAYMENTS_MS_MAX);
    const { status: before } = (await next.poll()).body;
    if (before !== 'WAITING') throw new Error(`the next person was ${before} before there was room`);
    const start = performance.now();
    const { status } = await paying.pay(reservationId);
    if (status !== 201) throw new Error(`a payment was answered ${status}`);
    while ((await next.poll()).body.status !== 'ACTIVE') await pause(OBSERVE_EVERY_MS);
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}
