import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ConcertId } from '#domain/ids.ts';
import type { Answer, Client } from '#tests/support/client/client.ts';
import { solutionOf } from '#tests/support/solve-challenge.ts';
import { startWorld } from '#tests/support/world.ts';

// Joining where operators require a proof of work, at two instances in turn.

const world = await startWorld({
  settings: { JOIN_CHALLENGE: 'true', JOIN_CHALLENGE_NUMBER_MIN: '1', JOIN_CHALLENGE_NUMBER_MAX: '2000' },
});
type Solvable = Parameters<typeof solutionOf>[0];

const challengeOf = async (fan: Client, concertId: ConcertId) =>
  (await fan.get(`/v1/concerts/${concertId}/queue/challenge`)).body as unknown as Solvable;
const joinWith = (fan: Client, concertId: ConcertId, solution: string): Promise<Answer> =>
  fan.call('POST', `/v1/concerts/${concertId}/queue`, { headers: { 'challenge-solution': solution } });
const toldBy = ({ status, body }: Answer) => [status, body.code, (body as { reason?: string }).reason];

describe('with JOIN_CHALLENGE, joining', () => {
  it('needs the solution of a challenge, whichever instance issued it', async () => {
    const hall = await world.openHall();
    const [fan, other] = await world.fans(2);
    expect(toldBy(await fan.join(hall))).toEqual([403, 'challenge-required', 'missing']);
    expect(toldBy(await joinWith(fan, hall, 'made up'))).toEqual([403, 'challenge-required', 'invalid']);
    for (const one of [fan, other]) {
      expect((await joinWith(one, hall, solutionOf(await challengeOf(one, hall)))).status).toBe(201);
    }
  });

  it('is refused with a solution that somebody else has used, or that was solved for another concert', async () => {
    const [hall, otherHall] = [await world.openHall(), await world.openHall()];
    const [fan, other] = await world.fans(2);
    const solution = solutionOf(await challengeOf(fan, hall));
    expect((await joinWith(fan, hall, solution)).status).toBe(201);
    const replayed = await Promise.all(world.instances.map(() => joinWith(other, hall, solution)));
    expect(replayed.map(toldBy)).toEqual(world.instances.map(() => [403, 'challenge-required', 'invalid']));
    expect(toldBy(await joinWith(fan, otherHall, solution))).toEqual([403, 'challenge-required', 'invalid']);
  });

  it('again needs no new solution: the same entry comes with the old one, and without any', async () => {
    const hall = await world.openHall();
    const fan = await world.fan();
    const solution = solutionOf(await challengeOf(fan, hall));
    const first = await joinWith(fan, hall, solution);
    const again = [await joinWith(fan, hall, solution), await fan.join(hall), await fan.join(hall)];
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { body } of again) expect(body.token).toBe(first.body.token);
    await fan.leave();
    expect(toldBy(await fan.join(hall))).toEqual([403, 'challenge-required', 'missing']);
  });

  it('works as the guide for clients shows it', async () => {
    const guide = readFileSync(new URL('../../../docs/guide/clients.md', import.meta.url), 'utf8');
    const [, example = ''] = /```js\n(.*?)```/s.exec(guide) ?? [];
    const join = new Function(`${example}\nreturn join;`)() as (...of: string[]) => Promise<Response>;
    const hall = await world.openHall();
    const fan = await world.fan();
    const answer = await join(`${world.instances[0]?.url}/v1`, hall, fan.accessToken);
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ userId: fan.userId });
  });

  it('tells the truth about a concert before it asks for a challenge', async () => {
    const fan = await world.fan();
    const nowhere = '01939c5e-0000-7000-8000-00000000dead' as ConcertId;
    expect(toldBy(await fan.join(nowhere)).slice(0, 2)).toEqual([404, 'concert-not-found']);
  });
});

it('makes challenges harder the more users join, within the bounds', async () => {
  const hall = await world.openHall();
  const instance = await world.start();
  const [fan, other] = await world.fans(2, { doors: [instance] });
  const calm = await challengeOf(fan, hall);
  expect(calm.maxnumber).toBe(1);
  const solution = solutionOf(calm);
  const repeated = [await joinWith(fan, hall, solution), await joinWith(fan, hall, solution)];
  expect(repeated.map(({ status }) => status)).toEqual([201, 200]);
  const harder = await challengeOf(other, hall);
  expect(harder.maxnumber).toBeGreaterThan(1);
  // One join makes it 500, and the second one was none.
  expect(harder.maxnumber).toBeLessThanOrEqual(500);
});
