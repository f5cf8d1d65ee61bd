import type { Statement } from '#adapters/postgres/client/statement.ts';

// The statements of wallets that need no function, and the reply of `charge_balance`.

export type ChargeJson = {
  readonly chargeId: string;
  readonly userId: string;
  readonly amount: number;
  readonly balance: number;
  readonly currency: string;
  readonly chargedAt: string;
};

export const walletStatements = {
  openWallet: {
    name: 'open-wallet',
    text: `WITH new_user AS (INSERT INTO users (user_id) VALUES ($1) ON CONFLICT DO NOTHING)
      INSERT INTO wallets (user_id, currency) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
  } as Statement<[userId: string, currency: string], never>,

  findBalance: {
    name: 'find-balance',
    text: 'SELECT balance::float8, currency FROM wallets WHERE user_id = $1',
  } as Statement<[userId: string], { readonly balance: number; readonly currency: string }>,
};
