import type { Pool } from 'pg';
import { HANG_MS, until } from './until.ts';

const LEFT = `
  SELECT (SELECT count(*) FROM outbox_messages WHERE created_at <= $1::timestamptz)::integer AS messages,
    (SELECT count(*) FROM events WHERE relayed_at IS NULL AND written_at <= $1::timestamptz)::integer AS events`;

type Limits = {
  readonly limitMs?: number;
  /** What was written later than that, by the clock of Postgres, may be left: holds go on running out when nobody asks any more. */
  readonly writtenBy?: string;
  /** Tells them, where no instance does. */
  readonly relay?: (() => Promise<unknown>) | undefined;
};

/** Waits until Redis has been told of all that has happened, and other services too. */
export async function untilTold(
  pool: Pool,
  { limitMs = HANG_MS, writtenBy = 'infinity', relay }: Limits = {},
): Promise<void> {
  let left = { messages: 0, events: 0 };
  const allTold = async () => {
    await relay?.();
    const { rows } = await pool.query<typeof left>(LEFT, [writtenBy]);
    left = rows[0] ?? left;
    return left.messages + left.events === 0;
  };
  await until('everything is relayed', allTold, limitMs).catch((error) => {
    throw new Error(`${error.message}: ${left.messages} rows of the outbox and ${left.events} events are left`);
  });
}
