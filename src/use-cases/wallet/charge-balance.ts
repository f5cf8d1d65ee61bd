import { Refusal } from '#domain/errors.ts';
import type { Answered, IdempotencyKey } from '#domain/idempotency.ts';
import { chargeId } from '#domain/ids.ts';
import type { Money } from '#domain/wallet/money.ts';
import type { Charge } from '#domain/wallet/wallet.ts';
import type { Ports } from '#ports/index.ts';

/** Adds an amount to the user's balance, once per idempotency key. */
export async function chargeBalance(
  { wallets, walletLimits, newId }: Pick<Ports, 'wallets' | 'walletLimits' | 'newId'>,
  input: { readonly amount: Money; readonly request: IdempotencyKey },
): Promise<Answered<Charge>> {
  const { chargeMin: min, chargeMax: max, balanceMax } = walletLimits;
  const { amount, request } = input;
  if (amount < min || amount > max) throw new Refusal('amount-out-of-range', { min, max });
  return wallets.charge({ chargeId: chargeId(newId()), amount, balanceMax, request });
}
