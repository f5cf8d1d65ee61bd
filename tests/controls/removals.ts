import { readdirSync } from 'node:fs';
import type { CopyChange } from '#tests/support/changed-copy.ts';

// Which guards are taken away, and which of the tests are then run.

export type Removal = {
  readonly without: string;
  /** Whether what is taken away is all that stands in the way, or what else had to go for anything to happen. */
  readonly note: string;
  readonly changes: readonly CopyChange[];
  /** Files of `tests/integration`, by name. */
  readonly tests: readonly string[];
  /** Of these files only the tests with such a name: the others have nothing to do with it. */
  readonly named?: string;
  /** Parts of the names of those that have to catch it, at least one for each part. Whatever else fails may be chance. */
  readonly caughtBy: readonly string[];
};

const POSTGRES = new URL('../../src/adapters/postgres/', import.meta.url);
const LOCK = 'src/adapters/redis/seats/redis-lock.ts';
const ACQUIRE = 'src/adapters/redis/seats/lua/acquire.lua';

const noLock: CopyChange = {
  file: LOCK,
  found: /async during\(seats, work\) \{/,
  instead: '$& if (seats !== undefined) return { contended: false, value: await work() };',
};
const noHoldKey: CopyChange = {
  file: ACQUIRE,
  found: /elseif string\.sub\(present[^\n]+/,
  instead: 'elseif false then',
};

const sqlFiles = readdirSync(POSTGRES, { recursive: true, encoding: 'utf8' });
function fileOf(name: string): string {
  const path = sqlFiles.find((one) => one.endsWith(`/sql/${name}.sql`));
  if (path === undefined) throw new RangeError(`there is no function ${name}`);
  return `src/adapters/postgres/${path}`;
}
/** In the file of a SQL function. */
function inFunction(name: string, found: RegExp, instead = ''): CopyChange {
  return { file: fileOf(name), found, instead };
}
const seatsUnlockedIn = (name: string) => inFunction(name, /PERFORM 1 FROM seats\s+WHERE[^;]+FOR UPDATE;/);
const buyerUnlockedIn = (name: string) => inFunction(name, /PERFORM 1 FROM buyers\s+WHERE[^;]+FOR UPDATE;/);
/** Between looking and acting, so that all have looked before the first one acts. */
const slowly = (name: string, before: string) =>
  inFunction(name, new RegExp(before), `PERFORM pg_sleep(0.3); ${before}`);
const drop = (what: string): CopyChange => ({ sql: `ALTER TABLE ${what}` });

const oneLive: CopyChange = { sql: 'DROP INDEX reservation_seats_one_live' };
const holdUnlocked = [seatsUnlockedIn('hold_seats'), slowly('hold_seats', 'INSERT INTO reservations ')];
const payUnlocked = [
  ...[buyerUnlockedIn('pay_reservation'), seatsUnlockedIn('pay_reservation')],
  inFunction('pay_reservation', /(SELECT \* INTO v_reservation FROM reservations WHERE[^;]+) FOR UPDATE;/, '$1;'),
  inFunction('pay_reservation', /(SELECT balance, currency[^;]+) FOR UPDATE;/, '$1;'),
  slowly('pay_reservation', 'INSERT INTO ledger_transactions '),
];
const debitUnconditional = inFunction('pay_reservation', /ELSIF v_balance < v_reservation.amount THEN[^;]+;/);

export const removals: readonly Removal[] = [
  {
    without: 'lock',
    note: 'only spreads contention: no seat is lost, only its own contract fails',
    changes: [noLock],
    tests: ['lock-contract'],
    caughtBy: ['runs one at a time'],
  },
  {
    without: 'hold key',
    note: 'only refuses the crowd: no seat is lost, only its own contract fails',
    changes: [noHoldKey],
    tests: ['hold-keys-contract'],
    caughtBy: ['succeeds for exactly one of many'],
  },
  {
    without: 'row lock of seats',
    note: 'the index below stops it, as an error',
    changes: holdUnlocked,
    tests: ['races-without-guards'],
    caughtBy: ['a seat is held once'],
  },
  {
    without: 'unique index',
    note: 'the row lock above it hides it from the races',
    changes: [oneLive],
    tests: ['guards-alone'],
    named: 'no guard but reservation',
    caughtBy: ['no guard but reservation_seats_one_live'],
  },
  {
    without: 'lock, hold key, row lock of seats and unique index',
    note: 'no guard is left: seats are sold twice',
    changes: [noLock, noHoldKey, ...holdUnlocked, oneLive],
    tests: ['races-seats'],
    caughtBy: ['sell a seat once to a crowd'],
  },
  {
    without: 'fence, in the tables',
    note: 'checks in the functions above hide it from the races',
    changes: [
      drop('seats DROP CONSTRAINT seats_taken_on_record_fkey'),
      { sql: 'DROP TRIGGER seats_fence_never_falls ON seats' },
    ],
    tests: ['guards-alone'],
    named: 'no guard but seats',
    caughtBy: ['no guard but seats_taken_on_record_fkey', 'no guard but seats_fence_never_falls'],
  },
  {
    without: 'fence and status and deadline, in paying',
    note: 'any one of them refuses an overtaken hold',
    changes: [
      inFunction('pay_reservation', /ELSIF v_reservation.status = 'EXPIRED' OR [^;]+;/),
      { sql: 'DROP TRIGGER reservations_end_once ON reservations' },
    ],
    tests: ['races-money', 'box-office-contract'],
    named: 'paying|after the deadline|another user has|the payer or',
    caughtBy: ['is refused after the deadline, and charges nothing'],
  },
  {
    without: 'limit row of a user',
    note: '',
    changes: [buyerUnlockedIn('hold_seats'), slowly('hold_seats', 'INSERT INTO reservations ')],
    tests: ['races-seats'],
    named: 'limit of seats|overlapping seats',
    caughtBy: ['to the limit of seats'],
  },
  {
    without: 'conditional debit',
    note: 'the check below stops it, as an error',
    changes: [debitUnconditional],
    tests: ['races-money', 'box-office-contract'],
    named: 'paying|as the balance allows',
    caughtBy: ['is refused when the balance is too low'],
  },
  {
    without: 'conditional debit and balance ≥ 0',
    note: 'balances are overdrawn',
    changes: [
      ...[debitUnconditional, drop('wallets DROP CONSTRAINT wallets_balance_not_negative')],
      drop('payments DROP CONSTRAINT payments_balance_not_negative'),
    ],
    tests: ['races-money'],
    named: 'as the balance allows|two hundred charges|audit to find',
    caughtBy: ['as the balance allows'],
  },
  {
    without: 'row locks of paying',
    note: 'the unique payment below stops it, as an error',
    changes: payUnlocked,
    tests: ['races-money'],
    caughtBy: ['take one payment for a reservation'],
  },
  {
    without: 'row locks of paying and unique payment',
    note: 'reservations are paid several times',
    changes: [...payUnlocked, { sql: 'DROP INDEX payments_reservation_id_key' }],
    tests: ['races-money', 'wallets-contract'],
    named: 'charging|three box offices|audit to find|many times at once',
    caughtBy: ['take one payment for a reservation'],
  },
  {
    without: 'lock on an idempotency key',
    note: '',
    changes: [inFunction('recall_answer', /PERFORM pg_advisory_xact_lock\([^;]+;/, 'NULL;')],
    tests: ['repeated-commands', 'idempotency'],
    named: 'equal answers|under way|without a key',
    caughtBy: ['while the same request is under way', 'twenty equal answers'],
  },
  {
    without: 'outbox, of holding and paying',
    note: '',
    changes: [
      inFunction('hold_seats', /INSERT INTO outbox_messages [^;]+;/),
      inFunction('pay_reservation', /INSERT INTO outbox_messages [^;]+;/),
    ],
    tests: ['crash', 'box-office-contract'],
    named: 'outbox messages|that dies',
    caughtBy: ['tell of a hold', 'after committing a payment'],
  },
  {
    without: 'zero sum and append-only, in the ledger',
    note: 'only our functions write the ledger, and they comply by themselves',
    changes: [
      { sql: 'DROP TRIGGER ledger_entries_sum_to_zero ON ledger_entries' },
      { sql: 'DROP TRIGGER ledger_entries_append_only ON ledger_entries' },
    ],
    tests: ['guards-alone'],
    named: 'no guard but ledger|the ledger',
    caughtBy: ['no guard but ledger_entries_sum_to_zero', 'no guard but ledger_entries_append_only'],
  },
  {
    without: 'event of a payment',
    note: '',
    changes: [{ sql: 'DROP TRIGGER reservations_emit_captured ON reservations' }],
    tests: ['events-contract'],
    named: 'an event|relaying',
    caughtBy: ['is written for payment'],
  },
  {
    without: 'attempt as the fence of a delivery',
    note: 'an overtaken attempt ends the delivery that another instance attempts',
    changes: [inFunction('record_attempt', /v_delivery\.attempts <> p_attempt OR /)],
    tests: ['deliveries-contract'],
    named: 'a delivery',
    caughtBy: ['ignores an overtaken attempt'],
  },
  {
    without: 'count of extensions in the number of an event',
    note: 'two events of a reservation have the same number',
    changes: [inFunction('extend_hold', /,\s+extensions = extensions \+ [^\n]+/)],
    tests: ['events-contract'],
    named: 'an event|relaying',
    caughtBy: ['has the number that it is of its reservation'],
  },
  {
    without: 'standstill of the time of a queue',
    note: '',
    changes: [
      { file: 'src/adapters/redis/queue/lua/shared.lua', found: / {2}now = tonumber\(served\)\n/, instead: '' },
    ],
    tests: ['queue-unserved', 'poll-as-told'],
    caughtBy: [
      'no session ends',
      'no entry is passed over',
      'an absent entry keeps',
      'a window admits',
      'the turnover stays',
    ],
  },
  {
    without: 'version of a reservation in the outbox',
    note: 'a slow relay sets the keys of a hold that another has freed',
    changes: [
      {
        file: 'src/adapters/postgres/booking/booking-statements.ts',
        found: / AND r\.status \|\| '-' \|\| r\.extensions = relayed\.version/,
        instead: '',
      },
    ],
    tests: ['box-office-contract'],
    named: 'outbox|come again',
    caughtBy: ['come again if the reservation has changed'],
  },
];
