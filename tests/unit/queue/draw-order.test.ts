import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { drawOrder } from '#adapters/redis/queue/draw-order.ts';
import { drawOrder as draw, wordsFrom } from '#domain/queue/lottery.ts';

const COUNT = 50_000;
const seed = createHash('sha256').update('a seed').digest();

it('draws the lots of the domain, and yields to other work', async () => {
  let turns = 0;
  let done = false;
  function takeTurns() {
    turns += 1;
    if (!done) setImmediate(takeTurns);
  }
  setImmediate(takeTurns);
  const drawn = await drawOrder(seed, COUNT).finally(() => {
    done = true;
  });
  expect(turns).toBeGreaterThan(3);

  const drawing = draw(
    COUNT,
    wordsFrom(seed, (input) => createHash('sha256').update(input).digest()),
  );
  let step = drawing.next();
  while (!step.done) step = drawing.next();
  expect(drawn).toEqual(step.value);
});
