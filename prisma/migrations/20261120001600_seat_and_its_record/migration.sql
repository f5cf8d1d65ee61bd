-- A seat points at the record of its own taking, the fence included, and at the payment of its own reservation. So neither a
-- hold that was overtaken nor a payment for something else can end up in it, whoever writes.

-- Every command that writes into these tables has locked its seats before: once this is granted nobody is at work on the others,
-- whatever order they are written in.
LOCK TABLE seats IN EXCLUSIVE MODE;
LOCK TABLE payments, reservation_seats IN SHARE ROW EXCLUSIVE MODE;

CREATE UNIQUE INDEX "reservation_seats_of_a_taking" ON "reservation_seats"("reservation_id", "concert_id", "date", "seat_number", "fence");

CREATE UNIQUE INDEX "payments_payment_id_reservation_id_key" ON "payments"("payment_id", "reservation_id");

ALTER TABLE "seats" ADD CONSTRAINT "seats_taken_on_record_fkey" FOREIGN KEY ("reservation_id", "concert_id", "date", "seat_number", "fence") REFERENCES "reservation_seats"("reservation_id", "concert_id", "date", "seat_number", "fence") ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE "seats" ADD CONSTRAINT "seats_payment_of_the_reservation_fkey" FOREIGN KEY ("payment_id", "reservation_id") REFERENCES "payments"("payment_id", "reservation_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

CREATE TRIGGER seats_fence_never_falls BEFORE UPDATE OF fence ON seats FOR EACH ROW
  WHEN (NEW.fence < OLD.fence) EXECUTE FUNCTION refuse_change('an older hold would pass for the present one');

CREATE TRIGGER payments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('refund it instead');
