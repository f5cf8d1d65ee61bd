import { Refusal } from '#domain/errors.ts';
import type { ConcertId } from '#domain/ids.ts';
import { etaSeconds } from '#domain/queue.ts';
import type { Ports } from '#ports/index.ts';
import type { LineFigures } from '#ports/waiting-room.ts';

export type LineReport = LineFigures & {
  readonly concertId: ConcertId;
  readonly paused: boolean;
  /** How long the last in line can expect to wait; unknown while nobody is let in. */
  readonly tailEtaSeconds: number | undefined;
};

/** How a line stands right now, for its operator. */
export async function readLine(
  { concerts, waitingRoom }: Pick<Ports, 'concerts' | 'waitingRoom'>,
  concertId: ConcertId,
): Promise<LineReport> {
  const [concert, figures] = await Promise.all([concerts.find(concertId), waitingRoom.read(concertId)]);
  if (concert === undefined) throw new Refusal('concert-not-found');
  const tailEtaSeconds = etaSeconds(figures.waiting, figures.turnover, concert.policy);
  return { concertId, paused: concert.policy.paused, ...figures, tailEtaSeconds };
}
