import type { Model } from './explain.ts';

/** What can be asked of one user's money, and seen of it. Where a balance is told, it is the one right after. */
export type WalletOp =
  | { readonly what: 'charge'; readonly amount: number; readonly balance?: number }
  | { readonly what: 'pay'; readonly reservationId: string; readonly amount: number; readonly balance?: number }
  | { readonly what: 'refund'; readonly reservationId: string; readonly amount: number; readonly balance?: number }
  | { readonly what: 'balance'; readonly balance: number }
  /** A payment that was refused for lack of money. */
  | { readonly what: 'short'; readonly balance: number; readonly required: number }
  /** All reservations that were ever paid. */
  | { readonly what: 'payments'; readonly reservationIds: readonly string[] }
  | { readonly what: 'refunded'; readonly reservationId: string; readonly isSo: boolean };

type Wallet = {
  readonly balance: number;
  /** What was paid, and whether it was refunded since. */
  readonly paid: Readonly<Record<string, boolean>>;
};

/** One wallet: a register with debits, none of which is made twice, and the payments that they were made for. */
export const walletModel: Model<Wallet, WalletOp> = {
  initial: { balance: 0, paid: {} },
  nameOf: ({ balance, paid }) => `${balance} ${JSON.stringify(Object.entries(paid).toSorted())}`,
  steps(wallet, op, fromMs) {
    const state = outcome(wallet, op);
    return state === undefined ? [] : [{ state, atMs: fromMs }];
  },
  deadlineMs: () => Number.POSITIVE_INFINITY,
  describe: (op) => Object.values(op).join(' '),
};

function outcome(wallet: Wallet, op: WalletOp): Wallet | undefined {
  const { balance, paid } = wallet;
  switch (op.what) {
    case 'charge':
      return told({ balance: balance + op.amount, paid }, op.balance);
    case 'pay':
      if (op.reservationId in paid || balance < op.amount) return undefined;
      return told({ balance: balance - op.amount, paid: { ...paid, [op.reservationId]: false } }, op.balance);
    case 'refund':
      if (paid[op.reservationId] !== false) return undefined;
      return told({ balance: balance + op.amount, paid: { ...paid, [op.reservationId]: true } }, op.balance);
    case 'balance':
      return told(wallet, op.balance);
    case 'short':
      return balance < op.required ? told(wallet, op.balance) : undefined;
    case 'payments': {
      const all = Object.keys(paid);
      const isAll = all.length === op.reservationIds.length && op.reservationIds.every((id) => id in paid);
      return isAll ? wallet : undefined;
    }
    case 'refunded':
      return paid[op.reservationId] === op.isSo ? wallet : undefined;
  }
}

function told(wallet: Wallet, balance: number | undefined): Wallet | undefined {
  return balance === undefined || balance === wallet.balance ? wallet : undefined;
}
