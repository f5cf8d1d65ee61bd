import type { Call, Rules } from './calls.ts';
import { type Commands, commandsOf } from './commands.ts';
import { explain } from './explain.ts';
import { seatModel } from './seat.ts';
import { seatOperations } from './seat-operations.ts';
import { walletModel } from './wallet.ts';
import { walletOperations } from './wallet-operations.ts';

/**
 * Everything in a history that no order of its calls explains: none, if the service did what it said. Each seat and each
 * wallet is looked at for itself, because a history is linearizable if that of each object is; what concerns several, a
 * payment or a list, is something that happened to each. That it happened to all of them or to none is not decided here:
 * the audit of the books says so.
 */
export function contradictionsIn(calls: readonly Call[], rules: Rules): string[] {
  const commands = commandsOf(calls);
  const { acknowledged, bySeat } = seatOperations(calls, commands, rules);
  const seats = seatModel(acknowledged);
  const wrong = [...commands.contradictions, ...lostReservations(calls, commands)];
  for (const [seat, operations] of [...bySeat].toSorted(([a], [b]) => a - b)) {
    const explained = explain(seats, operations);
    if (!explained.found) wrong.push(`seat ${seat}: ${explained.why}`);
  }
  for (const [userId, operations] of walletOperations(calls, commands)) {
    const explained = explain(walletModel, operations);
    if (!explained.found) wrong.push(`wallet of ${userId}: ${explained.why}`);
  }
  return wrong;
}

/** A reservation that was acknowledged is in every list of its user from then on, and can be found. */
function lostReservations(calls: readonly Call[], { commands, refusals }: Commands): string[] {
  const wrong: string[] = [];
  for (const { userId, asked, said, endMs } of commands) {
    const id = said?.reservationId;
    if (asked.what !== 'reserve' || id === undefined) continue;
    const lists = calls.filter(
      (call) => call.userId === userId && call.asked.what === 'reservations' && call.startMs > endMs,
    );
    for (const { ending, startMs } of lists) {
      if (ending.kind !== 'done' || ending.said.items?.some(({ reservationId }) => reservationId === id)) continue;
      wrong.push(`reservation ${id} was acknowledged, and is not in the list of its user at ${Math.round(startMs)} ms`);
    }
  }
  for (const { userId, asked, ending } of refusals) {
    if (ending.code !== 'reservation-not-found' || !('reservation' in asked)) continue;
    wrong.push(`reservation ${asked.reservation.reservationId} of ${userId} was known, and then not found`);
  }
  return wrong;
}
