import type { Ports } from '#ports/index.ts';

/** Draws the lots of every lottery whose queue has opened. */
export async function drawLots({ concerts, queue }: Pick<Ports, 'concerts' | 'queue'>): Promise<void> {
  const served = await concerts.listServed();
  const due = served.filter(({ policy, opened }) => policy.opening === 'lottery' && opened);
  await Promise.all(due.map(({ concertId }) => queue.drawLots(concertId)));
}
