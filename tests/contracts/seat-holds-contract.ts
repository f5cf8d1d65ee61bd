import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { Hold, SeatSet } from '#domain/booking/reservation.ts';
import type { RequestKey } from '#domain/idempotency.ts';
import { concertDate, concertId, reservationId, userId } from '#domain/ids.ts';
import type { SeatHolds } from '#ports/booking/hold-keys.ts';
import { expectRefusal } from './expect-refusal.ts';

export type SeatHoldsHarness = {
  readonly seatHolds: SeatHolds;
  /** Time goes by for the marks of these seats. */
  passes(seats: SeatSet, milliseconds: number): Promise<void>;
};

/** Longer than any command takes. */
const MINUTE_MS = 60_000;

/** What holds of all marks of seats. `open` is called once per test. */
export function seatHoldsContract(open: () => SeatHoldsHarness): void {
  function hall() {
    const { seatHolds, passes } = open();
    const all: SeatSet = {
      concertId: concertId(newId()),
      date: concertDate('2027-05-01'),
      seatNumbers: [1, 2, 3, 4, 5],
    };
    const hold = (...seatNumbers: number[]): Hold => ({
      ...all,
      seatNumbers,
      userId: userId(newId()),
      reservationId: reservationId(newId()),
    });
    const another = (mine: Hold): Hold => ({ ...mine, reservationId: reservationId(newId()) });
    const request = (of: Hold, key: string = newId()): RequestKey => ({ userId: of.userId, key, fingerprint: 'f' });
    const claim = (wanted: Hold) => seatHolds.claim(wanted, request(wanted));
    const expectMarked = (...seatNumbers: number[]) =>
      expectRefusal(claim(hold(...seatNumbers)), 'seat-taken', { seatNumbers });
    /** Tries them, and leaves them as they are. */
    async function expectFree(...seatNumbers: number[]): Promise<void> {
      const stranger = hold(...seatNumbers);
      await claim(stranger);
      await seatHolds.release(stranger);
    }
    const passing = (milliseconds: number) => passes(all, milliseconds);
    /** The seats of a hold as the box office tells of them. */
    const held = ({ userId, reservationId, seatNumbers }: Hold, remainingMs = 5 * MINUTE_MS) =>
      seatNumbers.map((seatNumber) => ({ seatNumber, userId, reservationId, remainingMs }));
    async function takeTurn() {
      const turn = await seatHolds.takeTurn(all);
      if (turn === undefined) throw new RangeError('it is the turn of somebody else');
      return turn;
    }
    return { all, held, takeTurn, seatHolds, hold, another, request, claim, expectMarked, expectFree, passes: passing };
  }

  describe('claiming', () => {
    it('marks all of the seats', async () => {
      const { hold, claim, expectMarked, expectFree } = hall();
      await claim(hold(1, 2));
      await expectMarked(1);
      await expectMarked(2);
      await expectFree(3);
    });

    it('by several in the same moment answers each for itself, in the order in which they came', async () => {
      const { hold, claim, expectMarked, expectFree } = hall();
      const outcomes = [claim(hold(1, 2)), claim(hold(2, 3)), claim(hold(3)), claim(hold(1, 3, 4))];
      await expect(outcomes[0]).resolves.toBe('claimed');
      await expectRefusal(outcomes[1] as Promise<unknown>, 'seat-taken', { seatNumbers: [2] });
      await expect(outcomes[2]).resolves.toBe('claimed');
      await expectRefusal(outcomes[3] as Promise<unknown>, 'seat-taken', { seatNumbers: [1, 3] });
      await expectMarked(3);
      await expectFree(4);
    });

    it('marks none of them when one is taken, and names those that are', async () => {
      const { hold, claim, expectFree } = hall();
      await claim(hold(2, 4));
      await expectRefusal(claim(hold(1, 2, 3, 4)), 'seat-taken', { seatNumbers: [2, 4] });
      await expectFree(1, 3);
    });

    it('succeeds for exactly one of many at once', async () => {
      const { hold, claim } = hall();
      const claims = await Promise.allSettled(Array.from({ length: 50 }, () => claim(hold(1, 2))));
      expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of claims) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'seat-taken' });
      }
    });

    it('lasts as long as the command may take, and no longer', async () => {
      const { hold, claim, expectMarked, expectFree, passes } = hall();
      await claim(hold(1));
      await passes(3_000);
      await expectMarked(1);
      await passes(MINUTE_MS);
      await expectFree(1);
    });

    it('is not hindered by marks that the user has already, which stay as they are', async () => {
      const { seatHolds, hold, another, claim, expectMarked } = hall();
      const mine = hold(1, 2);
      await claim(mine);
      const again = another({ ...mine, seatNumbers: [2, 3] });
      expect(await claim(again)).toBe('repeated');
      await seatHolds.release(again);
      await expectMarked(1, 2);
    });

    it('keeps dates and concerts apart', async () => {
      const { seatHolds, hold, claim, request } = hall();
      const here = hold(1);
      await claim(here);
      const elsewhere = [
        { ...hold(1), date: concertDate('2027-05-02') },
        { ...hold(1), concertId: concertId(newId()) },
      ];
      for (const there of elsewhere) await expect(seatHolds.claim(there, request(there))).resolves.toBe('claimed');
    });
  });

  describe('a request that has its answer', () => {
    it('is not turned away, though the seats are taken, and marks nothing', async () => {
      const { seatHolds, hold, request, claim, expectFree, passes } = hall();
      const mine = hold(1);
      const asked = request(mine);
      await seatHolds.remember(mine, asked);
      await seatHolds.claim(mine, asked);
      await expectFree(1);
      const theirs = hold(1);
      await claim(theirs);
      await expect(seatHolds.claim(mine, asked)).resolves.toBe('repeated');
      await passes(MINUTE_MS);
      await expectFree(1);
    });

    it('is that request only: not another of the same user, nor the same key of another user', async () => {
      const { seatHolds, hold, request, claim } = hall();
      await claim(hold(1));
      const mine = hold(1);
      const asked = request(mine);
      await seatHolds.remember(mine, asked);
      await expectRefusal(seatHolds.claim(mine, request(mine)), 'seat-taken');
      const stranger = hold(1);
      await expectRefusal(seatHolds.claim(stranger, request(stranger, asked.key)), 'seat-taken');
    });
  });

  describe('prolonging', () => {
    it('lets the marks of a claim last as long as given', async () => {
      const { seatHolds, hold, claim, expectMarked, expectFree, passes } = hall();
      const mine = hold(1, 2);
      await claim(mine);
      await seatHolds.prolong(mine, 5 * MINUTE_MS);
      await passes(4 * MINUTE_MS);
      await expectMarked(1, 2);
      await passes(MINUTE_MS);
      await expectFree(1, 2);
    });

    it('marks nothing that was released since, or has run out', async () => {
      const { seatHolds, hold, claim, expectFree, passes } = hall();
      const [released, late] = [hold(1), hold(2)];
      await claim(released);
      await claim(late);
      await seatHolds.release(released);
      await passes(MINUTE_MS);
      for (const mine of [released, late]) await seatHolds.prolong(mine, 5 * MINUTE_MS);
      await expectFree(1, 2);
    });

    it('leaves the marks of others, and those of another reservation of the same user', async () => {
      const { seatHolds, hold, another, claim, expectMarked, expectFree, passes } = hall();
      const [theirs, mine] = [hold(1), hold(2)];
      await claim(theirs);
      await claim(mine);
      await seatHolds.prolong({ ...another(mine), seatNumbers: [1, 2] }, 5 * MINUTE_MS);
      await expectMarked(1, 2);
      await passes(MINUTE_MS);
      await expectFree(1, 2);
    });

    it('never shortens a mark', async () => {
      const { seatHolds, hold, claim, expectMarked, passes } = hall();
      const mine = hold(1);
      await claim(mine);
      await seatHolds.prolong(mine, 5 * MINUTE_MS);
      await seatHolds.prolong(mine, MINUTE_MS);
      await passes(4 * MINUTE_MS);
      await expectMarked(1);
    });
  });

  describe('noting who has a seat', () => {
    it('marks what nobody has marked, until the holder releases it', async () => {
      const { seatHolds, hold, expectMarked, expectFree } = hall();
      const theirs = hold(1, 2);
      await seatHolds.note(theirs, MINUTE_MS);
      await expectMarked(1, 2);
      await seatHolds.release(theirs);
      await expectFree(1, 2);
    });

    it.each([['a hold', 5 * MINUTE_MS] as const, ['a purchase', undefined] as const])(
      'lasts no longer than a claim: %s',
      async (_, milliseconds) => {
        const { seatHolds, hold, expectMarked, expectFree, passes } = hall();
        await seatHolds.note(hold(1), milliseconds);
        await passes(3_000);
        await expectMarked(1);
        await passes(MINUTE_MS / 4);
        await expectFree(1);
      },
    );

    it('lasts no longer than the hold', async () => {
      const { seatHolds, hold, expectFree, passes } = hall();
      await seatHolds.note(hold(1), 2_000);
      await passes(2_000);
      await expectFree(1);
    });

    it('leaves a mark that is there, and does not prolong it', async () => {
      const { seatHolds, hold, claim, expectMarked, expectFree, passes } = hall();
      const [old, young] = [hold(1), hold(1)];
      await claim(young);
      await passes(2_000);
      await seatHolds.note(old, MINUTE_MS);
      await seatHolds.note(young, MINUTE_MS);
      await seatHolds.release(old);
      await expectMarked(1);
      await passes(8_000);
      await expectFree(1);
    });
  });

  describe('keeping', () => {
    it('marks the seats as long as given', async () => {
      const { seatHolds, hold, claim, expectMarked, expectFree, passes } = hall();
      const mine = hold(1, 2);
      await claim(mine);
      await seatHolds.keep(mine, 5 * MINUTE_MS);
      await passes(4 * MINUTE_MS);
      await expectMarked(1, 2);
      await passes(MINUTE_MS);
      await expectFree(1, 2);
    });

    it('shortens a mark as well', async () => {
      const { seatHolds, hold, expectFree, passes } = hall();
      const mine = hold(1);
      await seatHolds.keep(mine, 5 * MINUTE_MS);
      await seatHolds.keep(mine, MINUTE_MS);
      await passes(MINUTE_MS);
      await expectFree(1);
    });

    it('marks them whoever had them marked', async () => {
      const { seatHolds, hold, claim, expectMarked } = hall();
      const theirs = hold(1);
      await claim(theirs);
      const mine = hold(1);
      await seatHolds.keep(mine, MINUTE_MS);
      await seatHolds.release(theirs);
      await expectMarked(1);
      await expect(claim(mine)).resolves.toBe('repeated');
    });
  });

  describe('releasing', () => {
    it('takes the marks of this reservation away', async () => {
      const { seatHolds, hold, claim, expectFree } = hall();
      const mine = hold(1, 2);
      await claim(mine);
      await seatHolds.release(mine);
      await expectFree(1, 2);
    });

    it('leaves those of others, and those of another reservation of the same user', async () => {
      const { seatHolds, hold, another, claim, expectMarked } = hall();
      const theirs = hold(1);
      const mine = hold(2);
      await claim(theirs);
      await claim(mine);
      await seatHolds.release({ ...another(mine), seatNumbers: [1, 2] });
      await expectMarked(1, 2);
    });

    it('is harmless when repeated', async () => {
      const { seatHolds, hold, claim, expectMarked } = hall();
      const mine = hold(1);
      await claim(mine);
      await seatHolds.release(mine);
      await seatHolds.release(mine);
      await claim(hold(1));
      await seatHolds.release(mine);
      await expectMarked(1);
    });
  });

  describe('a turn', () => {
    it('is that of one of many, and comes again once the marks have not been looked after for a while', async () => {
      const { seatHolds, all, passes } = hall();
      const turns = (await Promise.all(Array.from({ length: 20 }, () => seatHolds.takeTurn(all)))).filter(Boolean);
      expect(turns).toHaveLength(1);
      const [turn] = turns;
      if (turn === undefined) throw new RangeError();
      await seatHolds.endTurn(turn);
      await passes(MINUTE_MS / 2);
      expect(await seatHolds.takeTurn(all)).toBeUndefined();
      await passes(MINUTE_MS / 2);
      expect(await seatHolds.takeTurn(all)).toBeDefined();
    });

    it('of one that dies is over in seconds; what it ends afterwards is not the turn of the next one', async () => {
      const { seatHolds, all, takeTurn, passes } = hall();
      const late = await takeTurn();
      await passes(MINUTE_MS / 4);
      await takeTurn();
      await seatHolds.endTurn(late);
      await passes(MINUTE_MS / 4);
      expect(await seatHolds.takeTurn(all)).toBeDefined();
    });

    it('that was overtaken marks nothing, makes no mark last, and is told so', async () => {
      const { seatHolds, hold, held, takeTurn, expectFree, expectMarked, passes } = hall();
      const [old, current] = [hold(1), hold(2)];
      const late = await takeTurn();
      await passes(MINUTE_MS / 4);
      // Nobody has it yet, then somebody else has.
      expect(await seatHolds.putBack(late, held(old))).toBe('over');
      const turn = await takeTurn();
      expect(await seatHolds.putBack(late, held(old))).toBe('over');
      await expectFree(1);
      expect(await seatHolds.putBack(turn, held(current))).toBe('on');
      expect(await seatHolds.confirm(late, held(current))).toBe('over');
      await expectMarked(2);
      await passes(MINUTE_MS / 2);
      await expectFree(2);
    });

    it('lasts for as long as marks are put back', async () => {
      const { seatHolds, all, hold, held, takeTurn, passes } = hall();
      const turn = await takeTurn();
      for (let steps = 0; steps < 5; steps++) {
        await passes(5_000);
        await seatHolds.putBack(turn, held(hold(1)));
      }
      expect(await seatHolds.takeTurn(all)).toBeUndefined();
    });

    it('is of one date', async () => {
      const { seatHolds, all, takeTurn } = hall();
      await takeTurn();
      expect(await seatHolds.takeTurn({ ...all, date: concertDate('2027-05-02') })).toBeDefined();
      expect(await seatHolds.takeTurn({ ...all, concertId: concertId(newId()) })).toBeDefined();
    });
  });

  describe('putting marks back', () => {
    it('marks what nobody has marked, for no longer than a claim; confirmed, as long as the hold lasts', async () => {
      const { seatHolds, hold, held, takeTurn, expectMarked, expectFree, passes } = hall();
      const [mine, theirs] = [hold(1, 2), hold(3)];
      const turn = await takeTurn();
      await seatHolds.putBack(turn, [...held(mine), ...held(theirs)]);
      await expectMarked(1, 2, 3);
      await seatHolds.confirm(turn, held(mine));
      await passes(MINUTE_MS);
      await expectFree(3);
      await expectMarked(1, 2);
      await passes(5 * MINUTE_MS);
      await expectFree(1, 2);
    });

    it('leaves a mark of somebody else, also where it is confirmed', async () => {
      const { seatHolds, hold, held, claim, takeTurn, expectMarked, expectFree, passes } = hall();
      const [old, young] = [hold(1), hold(1)];
      await claim(young);
      const turn = await takeTurn();
      await seatHolds.putBack(turn, held(old));
      await seatHolds.confirm(turn, held(old));
      await seatHolds.release(old);
      await expectMarked(1);
      await passes(MINUTE_MS);
      await expectFree(1);
    });

    it('brings nothing back that was released since', async () => {
      const { seatHolds, hold, held, takeTurn, expectFree } = hall();
      const mine = hold(1);
      const turn = await takeTurn();
      await seatHolds.putBack(turn, held(mine));
      await seatHolds.release(mine);
      await seatHolds.confirm(turn, held(mine));
      await expectFree(1);
    });

    it('never shortens a mark', async () => {
      const { seatHolds, hold, held, takeTurn, expectMarked, passes } = hall();
      const mine = hold(1);
      const turn = await takeTurn();
      await seatHolds.keep(mine, 5 * MINUTE_MS);
      await seatHolds.putBack(turn, held(mine));
      await seatHolds.confirm(turn, held(mine, 1_000));
      await passes(4 * MINUTE_MS);
      await expectMarked(1);
    });

    it('of no seats at all is harmless', async () => {
      const { seatHolds, takeTurn, expectFree } = hall();
      const turn = await takeTurn();
      expect(await seatHolds.putBack(turn, [])).toBe('on');
      expect(await seatHolds.confirm(turn, [])).toBe('on');
      await expectFree(1);
    });
  });
}
