import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { userId } from '#domain/ids.ts';
import { expectRefusal } from './expect-refusal.ts';
import { allPages, ask, openBoxOffice, type StoreHarness } from './store-harness.ts';

/** What holds of all wallets. */
export function walletsContract(harness: StoreHarness): void {
  const { wallets } = harness;
  const open = () => openBoxOffice(harness);
  const page = { limit: 10 };

  describe('opening a wallet', () => {
    it('makes a user with nothing in it', async () => {
      const user = userId(newId());
      await wallets.open(user, 'KRW');
      expect(await wallets.find(user)).toEqual({ userId: user, balance: 0, currency: 'KRW' });
      expect(await wallets.listEntries(user, page)).toEqual({ items: [] });
    });

    it('is harmless when repeated', async () => {
      const { user, charge } = await open();
      const rich = await user(500);
      await wallets.open(rich, 'KRW');
      await charge(rich, 1);
      expect(await wallets.find(rich)).toEqual({ userId: rich, balance: 501, currency: 'KRW' });
    });
  });

  describe('charging', () => {
    it('adds the amount', async () => {
      const { user, charge, balanceOf } = await open();
      const rich = await user(500);
      const { answer, replayed } = await charge(rich, 300);
      expect(answer).toMatchObject({ userId: rich, amount: 300, balance: 800, currency: 'KRW' });
      expect(answer.chargedAt).toBeInstanceOf(Date);
      expect(replayed).toBe(false);
      expect(await balanceOf(rich)).toBe(800);
    });

    it('happens once per idempotency key, and repetitions get the first answer', async () => {
      const { user, charge, balanceOf } = await open();
      const rich = await user();
      const request = ask(rich);
      const first = await charge(rich, 300, request);
      await charge(rich, 1);
      expect(await charge(rich, 300, request)).toEqual({ answer: first.answer, replayed: true });
      expect(await balanceOf(rich)).toBe(301);
    });

    it('happens once when the same request comes many times at once', async () => {
      const { user, charge, balanceOf } = await open();
      const rich = await user();
      const request = ask(rich);
      const all = await Promise.all(Array.from({ length: 20 }, () => charge(rich, 300, request)));
      expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(all.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
      expect(await balanceOf(rich)).toBe(300);
    });

    it('refuses another request under the same key, and the same key of another user is another key', async () => {
      const { user, charge, balanceOf } = await open();
      const [one, two] = [await user(), await user()];
      await charge(one, 300, ask(one, 'key', 'charge 300'));
      await expectRefusal(charge(one, 400, ask(one, 'key', 'charge 400')), 'idempotency-key-reused');
      await charge(two, 400, ask(two, 'key', 'charge 400'));
      expect([await balanceOf(one), await balanceOf(two)]).toEqual([300, 400]);
    });

    it('adds up exactly, however many come at once', async () => {
      const { user, charge, balanceOf } = await open();
      const rich = await user();
      const amounts = Array.from({ length: 30 }, (_, index) => index + 1);
      await Promise.all(amounts.map((amount) => charge(rich, amount)));
      expect(await balanceOf(rich)).toBe(amounts.reduce((sum, amount) => sum + amount));
    });

    it('is refused to strangers', async () => {
      const { charge } = await open();
      const stranger = userId(newId());
      await expectRefusal(charge(stranger, 1), 'user-not-found');
      expect(await wallets.find(stranger)).toBeUndefined();
    });

    it('is refused beyond the limit of the balance, which it may reach', async () => {
      const { user, charge, balanceOf } = await open();
      const rich = await user(700);
      const request = ask(rich);
      await expectRefusal(charge(rich, 301, request, 1_000), 'amount-out-of-range', { max: 300 });
      expect(await balanceOf(rich)).toBe(700);
      await charge(rich, 300, request, 1_000);
      expect(await balanceOf(rich)).toBe(1_000);
    });

    it('is refused with 0 as the most that fits, when the limit was lowered below the balance', async () => {
      const { user, charge } = await open();
      const rich = await user(700);
      await expectRefusal(charge(rich, 1, ask(rich), 500), 'amount-out-of-range', { max: 0 });
    });
  });

  describe('the ledger', () => {
    it('lists every change, newest first, with the balance right after it', async () => {
      const { user, charge, hold, pay } = await open();
      const rich = await user(50_000);
      const charged = await charge(rich, 20_000);
      const { answer: paid } = await pay(await hold(rich, 1, 2));
      const { items, next } = await wallets.listEntries(rich, page);
      expect(next).toBeUndefined();
      expect(items).toMatchObject([
        { kind: 'PURCHASE', transactionId: paid.paymentId, amount: -30_000, balance: 40_000, currency: 'KRW' },
        { kind: 'CHARGE', transactionId: charged.answer.chargeId, amount: 20_000, balance: 70_000, currency: 'KRW' },
        { kind: 'CHARGE', amount: 50_000, balance: 50_000, currency: 'KRW' },
      ]);
      expect(items.every(({ recordedAt }) => recordedAt instanceof Date)).toBe(true);
    });

    it('adds up to the balance, and shows nobody the entries of others', async () => {
      const { user, charge, balanceOf } = await open();
      const [one, two] = [await user(10), await user(1_000)];
      await Promise.all([1, 2, 3].flatMap((amount) => [charge(one, amount), charge(two, amount)]));
      const { items } = await wallets.listEntries(one, page);
      expect(items.reduce((sum, { amount }) => sum + amount, 0)).toBe(await balanceOf(one));
      expect(await balanceOf(one)).toBe(16);
    });

    it('comes in pages, without a gap and without a repetition', async () => {
      const { user, charge } = await open();
      const rich = await user();
      for (const amount of [1, 2, 3, 4, 5]) await charge(rich, amount);
      const pages = await allPages((asked) => wallets.listEntries(rich, asked), 2);
      expect(pages.map((items) => items.map(({ amount }) => amount))).toEqual([[5, 4], [3, 2], [1]]);
    });
  });
}
