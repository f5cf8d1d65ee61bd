import type { Pool } from 'pg';
import type { ConcertId } from '#domain/ids.ts';
import { makeUsers, openHall, PRICE } from '#tests/support/hall.ts';
import type { CrowdPlan } from './crowd.ts';

export type RushPlan = {
  readonly fans: number;
  /** They come evenly spread over this time. */
  readonly arrivalSeconds: number;
  readonly instances: number;
  readonly activeMax: number;
  /** Also decides how often fans are told to poll: at the latest after half of it. */
  readonly absentSeconds: number;
  /** Whoever is not through by then is lost. */
  readonly secondsMax: number;
};

const LEAVING_PART = 0.1;
const STRAYING_PART = 0.05;
const BUYING_PART = 0.02;
/** Some buyers meet at the same seat. */
const SEATS_PER_BUYER = 1.2;
const STAY_MS = [100, 600] as const;
/** Some of those who fall silent are passed over meanwhile, and all are back before the run has to wait for them. */
const SILENT_BEYOND_ABSENCE_SECONDS = [1, 10] as const;
/**
 * Sessions, the time to claim one, and the grace after absence all outlast the run: whoever is let in while silent, and
 * whoever was passed over, finds their place on coming back, however slow the machine. So nobody may be lost.
 */
const OUTLASTING_SECONDS = 3_600;

/** The concert and the people of a rush, as far as they are in the database. */
export async function stageRush(
  pool: Pool,
  { fans, activeMax, absentSeconds, arrivalSeconds }: RushPlan,
): Promise<Omit<CrowdPlan, 'urls'> & { readonly concertId: ConcertId }> {
  const buyers = Math.ceil(fans * BUYING_PART);
  const seats = Math.ceil(buyers * SEATS_PER_BUYER);
  const concertId = await openHall(pool, { seats, activeMax, sessionSeconds: OUTLASTING_SECONDS });
  const [shortest, longest] = SILENT_BEYOND_ABSENCE_SECONDS;
  const silentSeconds = [absentSeconds + shortest, absentSeconds + longest] as const;
  await pool.query(
    `UPDATE concerts SET absent_seconds = $2, grace_seconds = $3, claim_seconds = $3, waiting_max = $4
     WHERE concert_id = $1`,
    [concertId, absentSeconds, OUTLASTING_SECONDS, fans],
  );
  return {
    concertId,
    users: [...(await makeUsers(pool, buyers, PRICE)), ...(await makeUsers(pool, fans - buyers))],
    buyers,
    seats,
    arrivalSeconds,
    leavingPart: LEAVING_PART,
    strayingPart: STRAYING_PART,
    silentSeconds,
    stayMs: STAY_MS,
  };
}
