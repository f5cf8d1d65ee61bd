import type { OrphanSeats } from '#domain/booking/best-seats.ts';
import type { DeliveryState } from '#domain/events/webhook.ts';
import type {
  CancellationJson,
  HeldReply,
  HoldReply,
  OutboxMessageRow,
  PayReply,
  ReleaseReply,
  Remembered,
} from './booking/booking-rows.ts';
import { callOf } from './client/function-set.ts';
import type { Reply, Statement } from './client/statement.ts';
import { type DueDeliveryRow, type EventRow, eventColumns } from './events/event-rows.ts';
import type { QueueReply } from './queue/queue-rows.ts';
import type { ChargeJson } from './wallet/wallet-statements.ts';

// Atomic work in Postgres: one SQL function each, `<room>/sql/<name>.sql`, called in the schema of this version. The
// types of arguments and replies are unchecked; the contract suites call every function.

type OnDate = [concertId: string, date: string];
type Seats = [...OnDate, seatNumbers: readonly number[]];
type Wish = [quantity: number, section: string | undefined, grade: string | undefined];
type QueueEntry = [sequence: number, epoch: string];
type Command = [key: string, fingerprint: string];
type Session = [...QueueEntry, ...Command];
type HoldLimits = [
  holdSeconds: number,
  seatsPerUserMax: number,
  holdsPerSessionMax: number,
  sessionSeconds: number,
  strandedSeats: OrphanSeats,
];

/** A function that replies one value. */
function one<Values extends readonly unknown[], Answer>(name: string): Statement<Values, Reply<Answer>> {
  return { name, text: `SELECT ${callOf(name)} AS reply` };
}

/** A function that replies rows with these columns. */
function many<Values extends readonly unknown[], Row>(name: string, columns: string): Statement<Values, Row> {
  return { name, text: `SELECT ${columns} FROM ${callOf(name)}` };
}

/** The functions that the service calls. Each key is the function's name in camel case. */
export const functions = {
  recallAnswer: one<[userId: string, ...Command], Remembered<unknown> | null>('recall_answer'),
  forgetAnswers: one<[hours: number, batchMax: number], number>('forget_answers'),

  holdChosenSeats: one<[reservationId: string, userId: string, ...Seats, ...HoldLimits, ...Session], HoldReply>(
    'hold_chosen_seats',
  ),
  holdBestSeats: one<[reservationId: string, userId: string, ...OnDate, ...Wish, ...HoldLimits, ...Session], HeldReply>(
    'hold_best_seats',
  ),
  extendHold: one<
    [userId: string, concertId: string, reservationId: string, holdSeconds: number, holdSecondsMax: number, ...Session],
    HeldReply
  >('extend_hold'),
  payReservation: one<
    [paymentId: string, userId: string, concertId: string, reservationId: string, ...Session],
    PayReply
  >('pay_reservation'),
  releaseReservation: one<[userId: string, reservationId: string], ReleaseReply>('release_reservation'),
  cancelReservation: one<
    [refundId: string, userId: string, reservationId: string, refundUntilSeconds: number, ...Command],
    Remembered<CancellationJson>
  >('cancel_reservation'),
  expireHolds: one<[batchMax: number], number>('expire_holds'),
  blockSeats: one<Seats, { readonly answer: true }>('block_seats'),
  unblockSeats: one<Seats, { readonly answer: true }>('unblock_seats'),
  takeOutboxMessages: many<[batchMax: number, leaseSeconds: number], OutboxMessageRow>(
    'take_outbox_messages',
    `message_id AS "messageId", version, sequence, epoch, reservation_id AS "reservationId", user_id AS "userId",
      concert_id AS "concertId", date::text, seat_numbers AS "seatNumbers", status, paid, remaining_ms AS "remainingMs"`,
  ),

  chargeBalance: one<
    [chargeId: string, userId: string, amount: number, balanceMax: number, ...Command],
    Remembered<ChargeJson>
  >('charge_balance'),

  openQueue: one<[concertId: string, epoch: string], QueueReply>('open_queue'),
  drawLots: many<[concertId: string, count: number], { readonly seed: string; readonly count: string }>(
    'draw_lots',
    'seed, count',
  ),
  findSession: one<[concertId: string, userId: string, ...QueueEntry, sessionSeconds: number], string | null>(
    'find_session',
  ),

  takeEvents: many<[batchMax: number, leaseSeconds: number], EventRow & { readonly fencingToken: string }>(
    'take_events',
    `fencing_token AS "fencingToken", ${eventColumns}`,
  ),
  ackEvents: one<[fencingToken: number, eventIds: readonly string[]], boolean>('ack_events'),
  forgetEvents: one<[retentionSeconds: number, batchMax: number], number>('forget_events'),
  createEndpoint: one<
    [endpointId: string, url: string, eventTypes: readonly string[], secret: string, endpointsMax: number],
    { readonly answer: { readonly createdAt: string } }
  >('create_endpoint'),
  changeEndpoint: one<
    [
      endpointId: string,
      url: string | undefined,
      eventTypes: readonly string[] | undefined,
      enabled: boolean | undefined,
    ],
    boolean
  >('change_endpoint'),
  takeDeliveries: many<[endpointId: string, batchMax: number, leaseSeconds: number], DueDeliveryRow>(
    'take_deliveries',
    `delivery_id AS "deliveryId", attempt, tries, taken_at AS "takenAt", url, secrets, ${eventColumns}`,
  ),
  recordAttempt: one<
    [
      deliveryId: string,
      attempt: number,
      url: string,
      state: DeliveryState,
      retryMs: number | undefined,
      gone: boolean,
      durationMs: number,
      status: number | undefined,
      failure: string | undefined,
    ],
    boolean
  >('record_attempt'),
  sendTest: one<[endpointId: string], string | null>('send_test'),
  replayDelivery: one<[endpointId: string, deliveryId: string], { readonly answer: true }>('replay_delivery'),
  replayFailed: one<[endpointId: string, since: Date, batchMax: number], number>('replay_failed'),

  grantService: one<[role: string, functionSchema: string], unknown>('grant_service'),
};

/** Called by other functions only. */
export const innerFunctions = [
  'at_once',
  'best_block',
  'describe_reservation',
  'free_seats',
  'hold_seats',
  'lock_rows',
  'remember_answer',
  'orphan_seats_of',
];
