import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import { etaSeconds } from '#domain/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { LineFigures } from '#ports/waiting-room.ts';

/** How a line stands right now, for its operator, and how long the last in it can expect to wait. */
export async function readLine(
  { concerts, waitingRoom }: Pick<Ports, 'concerts' | 'waitingRoom'>,
  concertId: ConcertId,
): Promise<LineFigures & { readonly tailEtaSeconds: number | undefined }> {
  const [concert, figures] = await Promise.all([concerts.find(concertId), waitingRoom.read(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  return { ...figures, tailEtaSeconds: etaSeconds(figures.waiting, figures.turnover, concert.policy) };
}
