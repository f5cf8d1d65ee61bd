import { describe, expect, it } from 'vitest';
import type { Money } from '#domain/wallet/money.ts';
import type { StoredConcert } from '#tests/fakes/memory-store.ts';
import { openBoxOffice, type StoreHarness } from './store-harness.ts';

export type FrozenPriceHarness = StoreHarness & {
  /** From now on every seat of the concert costs as much. */
  reprice(concert: StoredConcert, price: Money): Promise<void>;
};

/** What holds of every box office whose prices change. Seats 1 to 5 cost 10,000 to 50,000 at first. */
export function frozenPriceContract(harness: FrozenPriceHarness): void {
  const { boxOffice, wallets, reprice } = harness;

  describe('a price that changes', () => {
    it('does not change a hold: it is extended, paid and refunded at its frozen price', async () => {
      const { concert, user, hold, extend, pay, cancel, balanceOf } = await openBoxOffice(harness);
      const fan = await user(80_000);
      const held = await hold(fan, 2, 3);
      expect(held.amount).toBe(50_000);

      await reprice(concert, 70_000);
      expect((await boxOffice.findReservation(fan, held.reservationId))?.amount).toBe(50_000);
      expect((await extend(held)).answer.amount).toBe(50_000);
      expect((await pay(held)).answer).toMatchObject({ amount: 50_000, balance: 30_000 });
      expect(await balanceOf(fan)).toBe(30_000);

      await reprice(concert, 1);
      const { answer } = await cancel(held);
      expect(answer).toMatchObject({ reservation: { amount: 50_000 }, refund: { amount: 50_000, balance: 80_000 } });
      const { items } = await wallets.listEntries(fan, { limit: 2 });
      expect(items.map(({ kind, amount }) => [kind, amount])).toEqual([
        ['REFUND', 50_000],
        ['PURCHASE', -50_000],
      ]);
    });

    it('applies to the next hold', async () => {
      const { concert, user, hold, pay, cancel, balanceOf } = await openBoxOffice(harness);
      const fan = await user(80_000);
      await cancel(await hold(fan, 2));
      await reprice(concert, 70_000);
      const held = await hold(fan, 2);
      expect(held.amount).toBe(70_000);
      await pay(held);
      expect(await balanceOf(fan)).toBe(10_000);
    });
  });
}
