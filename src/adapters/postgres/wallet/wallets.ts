import type { Postgres } from '#adapters/postgres/client/connect-postgres.ts';
import { guarded } from '#adapters/postgres/client/failures.ts';
import { pageOf } from '#adapters/postgres/client/page-of.ts';
import { replyOf, rowsOf } from '#adapters/postgres/client/statement.ts';
import { functions } from '#adapters/postgres/functions.ts';
import { chargeId, userId } from '#domain/ids.ts';
import type { LedgerEntry } from '#domain/wallet/wallet.ts';
import type { Wallets } from '#ports/wallet/wallets.ts';
import { walletStatements } from './wallet-statements.ts';

export function postgresWallets({ pool, prisma }: Postgres): Wallets {
  return {
    async open(userId, currency) {
      await rowsOf(pool, walletStatements.openWallet, userId, currency);
    },

    async charge({ chargeId: id, amount, balanceMax, request: { userId: user, key, fingerprint } }) {
      const wanted = [id, user, amount, balanceMax] as const;
      const { answer, replayed } = await replyOf(pool, functions.chargeBalance, ...wanted, key, fingerprint);
      const ids = { chargeId: chargeId(answer.chargeId), userId: userId(answer.userId) };
      return { answer: { ...answer, ...ids, chargedAt: new Date(answer.chargedAt) }, replayed };
    },

    async find(userId) {
      const [row] = await rowsOf(pool, walletStatements.findBalance, userId);
      return row && { userId, ...row };
    },

    async listEntries(userId, { limit, after }) {
      const rows = await guarded(async () =>
        (await prisma()).ledgerEntry.findMany({
          where: { userId, ...(after === undefined ? {} : { entryId: { lt: BigInt(after) } }) },
          orderBy: { entryId: 'desc' },
          take: limit + 1,
          include: { transaction: true, wallet: { select: { currency: true } } },
        }),
      );
      const entries = rows.map(
        (row): LedgerEntry => ({
          entryId: String(row.entryId),
          kind: row.transaction.kind,
          transactionId: row.transactionId,
          amount: Number(row.amount),
          balance: Number(row.balanceAfter),
          currency: row.wallet?.currency ?? '',
          recordedAt: row.transaction.recordedAt,
        }),
      );
      return pageOf(entries, limit, (entry) => entry.entryId);
    },
  };
}
