import type { ChargeId, UserId } from '#domain/ids.ts';
import type { Currency, Money } from './money.ts';

export type Balance = { readonly userId: UserId; readonly balance: Money; readonly currency: Currency };

export type Charge = Balance & {
  readonly chargeId: ChargeId;
  readonly amount: Money;
  readonly chargedAt: Date;
};

/** An entry of a wallet's ledger. `amount` is signed: positive in, negative out. */
export type LedgerEntry = {
  readonly entryId: string;
  readonly kind: 'CHARGE' | 'PURCHASE' | 'REFUND';
  /** The id of the charge, payment or refund. */
  readonly transactionId: string;
  readonly amount: Money;
  readonly balance: Money;
  readonly currency: Currency;
  readonly recordedAt: Date;
};

/** In the currency's smallest unit. */
export type WalletLimits = {
  readonly chargeMin: Money;
  readonly chargeMax: Money;
  readonly balanceMax: Money;
};
