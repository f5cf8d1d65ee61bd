-- The tables, keys and indexes that schema.prisma describes.

CREATE TYPE "seat_status" AS ENUM ('AVAILABLE', 'HELD', 'SOLD', 'BLOCKED');

CREATE TYPE "reservation_status" AS ENUM ('HELD', 'CONFIRMED', 'EXPIRED', 'CANCELLED');

CREATE TYPE "ledger_kind" AS ENUM ('CHARGE', 'PURCHASE');

CREATE TYPE "ledger_account" AS ENUM ('WALLET', 'TOP_UPS', 'SALES');

CREATE TABLE "users" (
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE "concerts" (
    "concert_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "sales_open_at" TIMESTAMPTZ(3) NOT NULL,
    "active_max" INTEGER,
    "waiting_max" INTEGER,
    "session_seconds" INTEGER,
    "hold_seconds" INTEGER,
    "seats_per_user_max" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "concerts_pkey" PRIMARY KEY ("concert_id")
);

CREATE TABLE "concert_dates" (
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "concert_dates_pkey" PRIMARY KEY ("concert_id","date")
);

CREATE TABLE "seats" (
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "seat_number" INTEGER NOT NULL,
    "price" BIGINT NOT NULL,
    "status" "seat_status" NOT NULL DEFAULT 'AVAILABLE',
    "held_until" TIMESTAMPTZ(3),
    "reservation_id" UUID,
    "payment_id" UUID,
    "fence" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "seats_pkey" PRIMARY KEY ("concert_id","date","seat_number")
);

CREATE TABLE "buyers" (
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "user_id" UUID NOT NULL,

    CONSTRAINT "buyers_pkey" PRIMARY KEY ("concert_id","date","user_id")
);

CREATE TABLE "reservations" (
    "reservation_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "status" "reservation_status" NOT NULL DEFAULT 'HELD',
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "held_until" TIMESTAMPTZ(3) NOT NULL,
    "held_for_seconds" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "reservations_pkey" PRIMARY KEY ("reservation_id")
);

CREATE TABLE "reservation_seats" (
    "reservation_id" UUID NOT NULL,
    "concert_id" UUID NOT NULL,
    "date" DATE NOT NULL,
    "seat_number" INTEGER NOT NULL,
    "fence" BIGINT NOT NULL,
    "price" BIGINT NOT NULL,
    "status" "reservation_status" NOT NULL DEFAULT 'HELD',

    CONSTRAINT "reservation_seats_pkey" PRIMARY KEY ("reservation_id","seat_number")
);

CREATE TABLE "wallets" (
    "user_id" UUID NOT NULL,
    "balance" BIGINT NOT NULL DEFAULT 0,
    "currency" CHAR(3) NOT NULL,

    CONSTRAINT "wallets_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE "ledger_transactions" (
    "transaction_id" UUID NOT NULL,
    "kind" "ledger_kind" NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_transactions_pkey" PRIMARY KEY ("transaction_id")
);

CREATE TABLE "ledger_entries" (
    "entry_id" BIGSERIAL NOT NULL,
    "transaction_id" UUID NOT NULL,
    "account" "ledger_account" NOT NULL,
    "user_id" UUID,
    "amount" BIGINT NOT NULL,
    "balance_after" BIGINT,

    CONSTRAINT "ledger_entries_pkey" PRIMARY KEY ("entry_id")
);

CREATE TABLE "payments" (
    "payment_id" UUID NOT NULL,
    "reservation_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "balance" BIGINT NOT NULL,
    "paid_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("payment_id")
);

CREATE TABLE "idempotency_keys" (
    "user_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "answer" JSONB NOT NULL,
    "answered_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("user_id","key")
);

CREATE TABLE "outbox" (
    "event_id" BIGSERIAL NOT NULL,
    "reservation_id" UUID NOT NULL,
    "sequence" BIGINT,
    "epoch" TEXT,
    "due_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("event_id")
);

CREATE INDEX "reservations_user_id_reservation_id_idx" ON "reservations"("user_id", "reservation_id");

CREATE UNIQUE INDEX "reservations_reservation_id_status_key" ON "reservations"("reservation_id", "status");

CREATE INDEX "ledger_entries_transaction_id_idx" ON "ledger_entries"("transaction_id");

CREATE INDEX "ledger_entries_user_id_entry_id_idx" ON "ledger_entries"("user_id", "entry_id");

CREATE UNIQUE INDEX "payments_reservation_id_key" ON "payments"("reservation_id");

CREATE INDEX "payments_user_id_payment_id_idx" ON "payments"("user_id", "payment_id");

CREATE INDEX "idempotency_keys_answered_at_idx" ON "idempotency_keys"("answered_at");

CREATE INDEX "outbox_due_at_idx" ON "outbox"("due_at");

ALTER TABLE "concert_dates" ADD CONSTRAINT "concert_dates_concert_id_fkey" FOREIGN KEY ("concert_id") REFERENCES "concerts"("concert_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "seats" ADD CONSTRAINT "seats_concert_id_date_fkey" FOREIGN KEY ("concert_id", "date") REFERENCES "concert_dates"("concert_id", "date") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "seats" ADD CONSTRAINT "seats_reservation_id_fkey" FOREIGN KEY ("reservation_id") REFERENCES "reservations"("reservation_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "seats" ADD CONSTRAINT "seats_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("payment_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "buyers" ADD CONSTRAINT "buyers_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("user_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "reservations" ADD CONSTRAINT "reservations_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("user_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "reservation_seats" ADD CONSTRAINT "reservation_seats_reservation_id_status_fkey" FOREIGN KEY ("reservation_id", "status") REFERENCES "reservations"("reservation_id", "status") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "reservation_seats" ADD CONSTRAINT "reservation_seats_concert_id_date_seat_number_fkey" FOREIGN KEY ("concert_id", "date", "seat_number") REFERENCES "seats"("concert_id", "date", "seat_number") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "wallets" ADD CONSTRAINT "wallets_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("user_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_transaction_id_fkey" FOREIGN KEY ("transaction_id") REFERENCES "ledger_transactions"("transaction_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "ledger_entries" ADD CONSTRAINT "ledger_entries_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "wallets"("user_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "payments" ADD CONSTRAINT "payments_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "ledger_transactions"("transaction_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "payments" ADD CONSTRAINT "payments_reservation_id_fkey" FOREIGN KEY ("reservation_id") REFERENCES "reservations"("reservation_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("user_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "outbox" ADD CONSTRAINT "outbox_reservation_id_fkey" FOREIGN KEY ("reservation_id") REFERENCES "reservations"("reservation_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

