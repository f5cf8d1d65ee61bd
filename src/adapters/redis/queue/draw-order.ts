import { hash } from 'node:crypto';
import { setImmediate as others } from 'node:timers/promises';
import { type DrawOrder, drawOrder as draw, wordsFrom } from '#domain/queue/lottery.ts';

/** Draws `count` lots: a quarter of a second for a million, in steps that let other work run in between. */
export async function drawOrder(seed: Buffer, count: number): Promise<DrawOrder> {
  const drawing = draw(
    count,
    wordsFrom(seed, (input) => hash('sha256', input, 'buffer')),
  );
  for (let step = drawing.next(); ; step = drawing.next()) {
    if (step.done) return step.value;
    await others();
  }
}
