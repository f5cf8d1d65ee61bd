import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import type { ChargeId, UserId } from '#domain/ids.ts';
import type { Page, PageRequest } from '#domain/page.ts';
import type { Currency, Money } from '#domain/wallet/money.ts';
import type { Balance, Charge, LedgerEntry } from '#domain/wallet/wallet.ts';

export type ChargeOrder = {
  readonly chargeId: ChargeId;
  readonly amount: Money;
  readonly balanceMax: Money;
  readonly request: IdempotencyKey;
};

/**
 * The users' prepaid balances. A balance is the sum of its ledger entries and never negative; the ledger is append-only.
 */
export type Wallets = {
  /** Creates a user with an empty wallet. Idempotent. */
  open(userId: UserId, currency: Currency): Promise<void>;

  /**
   * Adds the amount, once per idempotency key. Refuses `user-not-found`, `idempotency-key-reused`,
   * `idempotency-key-in-use`, and `amount-out-of-range` if the balance would exceed its limit.
   */
  charge(order: ChargeOrder): Promise<Answered<Charge>>;

  find(userId: UserId): Promise<Balance | undefined>;
  listEntries(userId: UserId, page: PageRequest): Promise<Page<LedgerEntry>>;
};
