import { Refusal } from '#domain/errors.ts';
import type { Charge } from '#domain/wallet/wallet.ts';
import type { Wallets } from '#ports/wallet/wallets.ts';
import { enter, type MemoryStore, pageOf, recall, remember } from './memory-store.ts';

export function memoryWallets(store: MemoryStore): Wallets {
  return {
    async open(userId, currency) {
      if (!store.wallets.has(userId)) store.wallets.set(userId, { userId, balance: 0, currency });
    },

    async charge({ chargeId, amount, balanceMax, request }) {
      const known = recall<Charge>(store, request);
      if (known !== undefined) return known;
      const { userId } = request;
      const wallet = store.wallets.get(userId);
      if (wallet === undefined) throw new Refusal('user-not-found');
      const { balance: before, currency } = wallet;
      if (before + amount > balanceMax) {
        throw new Refusal('amount-out-of-range', { min: 1, max: Math.max(0, balanceMax - before) });
      }

      const balance = enter(store, { userId, kind: 'CHARGE', transactionId: chargeId, amount });
      return remember(store, request, {
        chargeId,
        userId,
        amount,
        balance,
        currency,
        chargedAt: new Date(store.clock.now()),
      });
    },

    async find(userId) {
      const wallet = store.wallets.get(userId);
      return wallet === undefined ? undefined : { ...wallet };
    },

    async listEntries(userId, page) {
      const own = store.entries.filter((entry) => entry.userId === userId).map(({ userId: _, ...entry }) => entry);
      return pageOf(own, ({ entryId }) => entryId, page);
    },
  };
}
