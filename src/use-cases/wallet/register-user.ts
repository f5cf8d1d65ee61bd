import { type UserId, userId } from '#domain/ids.ts';
import type { Currency } from '#domain/wallet/money.ts';
import type { Ports } from '#ports/index.ts';

/** Creates a user with an empty wallet. */
export async function registerUser(
  { wallets, newId }: Pick<Ports, 'wallets' | 'newId'>,
  input: { readonly currency: Currency },
): Promise<UserId> {
  const user = userId(newId());
  await wallets.open(user, input.currency);
  return user;
}
