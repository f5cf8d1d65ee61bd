import type { Ports } from '#ports/index.ts';

/** Draws lots at every concert whose line opens with them, once it has opened. */
export async function drawLots({ concerts, queue }: Pick<Ports, 'concerts' | 'queue'>): Promise<void> {
  const onSale = await concerts.listOnSale();
  const due = onSale.filter(({ policy, opened }) => policy.opening === 'lottery' && opened);
  await Promise.all(due.map(({ concertId }) => queue.drawLots(concertId)));
}
