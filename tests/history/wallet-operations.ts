import type { Call } from './calls.ts';
import type { Command, Commands } from './commands.ts';
import type { Timed } from './explain.ts';
import type { WalletOp } from './wallet.ts';

/** What happened to each user's money, and was seen of it. */
export function walletOperations(
  calls: readonly Call[],
  { commands, refusals }: Commands,
): ReadonlyMap<string, readonly Timed<WalletOp>[]> {
  const all = [
    ...commands.flatMap(changesOf),
    ...refusals.flatMap(({ ending: { code, said }, ...call }) =>
      code === 'insufficient-balance' ? timed(call, { what: 'short', ...amounts(said) }) : [],
    ),
    ...calls.flatMap(seen),
  ];
  return new Map(
    [...Map.groupBy(all, ({ userId }) => userId)].map(([userId, own]) => [userId, own.map(({ timed }) => timed)]),
  );
}

type Own = { readonly userId: string; readonly timed: Timed<WalletOp> };

function timed({ userId, startMs, endMs }: Omit<Command, 'said' | 'asked'>, op: WalletOp): Own[] {
  return [{ userId, timed: { op, startMs, endMs } }];
}

function amounts({ balance = Number.NaN, required = Number.NaN }: { balance?: number; required?: number }) {
  return { balance, required };
}

function changesOf(command: Command): Own[] {
  const { asked, said } = command;
  const told = (balance: number | undefined) => (balance === undefined ? {} : { balance });
  switch (asked.what) {
    case 'charge':
      return timed(command, { what: 'charge', amount: asked.amount, ...told(said?.balance) });
    case 'pay': {
      const { reservationId, amount } = asked.reservation;
      return timed(command, { what: 'pay', reservationId, amount, ...told(said?.balance) });
    }
    case 'cancel': {
      if (said !== undefined && said.refund === undefined) return [];
      const { reservationId, amount } = asked.reservation;
      return timed(command, { what: 'refund', reservationId, amount, ...told(said?.refund?.balance) });
    }
    default:
      return [];
  }
}

/** Payments are read first and their refunds after them, so each refund is seen for itself. */
function seen(call: Call): Own[] {
  const { asked, ending } = call;
  if (ending.kind !== 'done') return [];
  const { said } = ending;
  if (asked.what === 'balance') return timed(call, { what: 'balance', balance: said.balance ?? Number.NaN });
  if (asked.what !== 'payments') return [];
  const items = (said.items ?? []).map(({ reservationId = '', refundedAt }) => ({ reservationId, refundedAt }));
  return [
    ...timed(call, { what: 'payments', reservationIds: items.map(({ reservationId }) => reservationId) }),
    ...items.flatMap(({ reservationId, refundedAt }) =>
      timed(call, { what: 'refunded', reservationId, isSo: refundedAt !== undefined }),
    ),
  ];
}
