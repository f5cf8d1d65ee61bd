-- Where events are sent to, and what became of each.

CREATE TYPE "delivery_state" AS ENUM ('PENDING', 'DELIVERED', 'FAILED');

CREATE TABLE "webhook_endpoints" (
    "endpoint_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" TEXT[],
    "secret" TEXT NOT NULL,
    "previous_secret" TEXT,
    "previous_secret_until" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "disabled_reason" TEXT,
    "deleted_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("endpoint_id")
);

CREATE TABLE "webhook_deliveries" (
    "delivery_id" BIGSERIAL NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_id" BIGINT NOT NULL,
    "aggregate_id" UUID NOT NULL,
    "state" "delivery_state" NOT NULL DEFAULT 'PENDING',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("delivery_id")
);

CREATE TABLE "webhook_attempts" (
    "delivery_id" BIGINT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "duration_ms" INTEGER NOT NULL,
    "status" INTEGER,
    "failure" TEXT,

    CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY ("delivery_id","attempt")
);

CREATE UNIQUE INDEX "webhook_deliveries_event_id_endpoint_id_key" ON "webhook_deliveries"("event_id", "endpoint_id");
CREATE INDEX "webhook_deliveries_endpoint_id_delivery_id_idx" ON "webhook_deliveries"("endpoint_id", "delivery_id");
CREATE INDEX "webhook_deliveries_endpoint_id_state_delivery_id_idx" ON "webhook_deliveries"("endpoint_id", "state", "delivery_id");

ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("endpoint_id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "events"("event_id") ON DELETE RESTRICT ON UPDATE RESTRICT;
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("delivery_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- A secret of 24 to 64 bytes in base64. The list of types is never null, which Prisma does not say of lists.
ALTER TABLE webhook_endpoints
  ADD CONSTRAINT webhook_endpoints_secret_form CHECK (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'),
  ADD CONSTRAINT webhook_endpoints_previous_ends CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL)),
  ADD CONSTRAINT webhook_endpoints_disabled_for_a_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
  ADD CONSTRAINT webhook_endpoints_reason_known CHECK (disabled_reason IN ('operator', 'gone')),
  ADD CONSTRAINT webhook_endpoints_types_given CHECK (event_types IS NOT NULL);

-- What is over has an end and is never due. Of what is pending the earliest of each aggregate is due, at each endpoint; the
-- others wait for it and have no time.
ALTER TABLE webhook_deliveries
  ADD CONSTRAINT webhook_deliveries_over CHECK ((state = 'PENDING') = (ended_at IS NULL)),
  ADD CONSTRAINT webhook_deliveries_due CHECK (state = 'PENDING' OR due_at IS NULL);

CREATE INDEX webhook_deliveries_due_at ON webhook_deliveries (endpoint_id, due_at)
  WHERE state = 'PENDING' AND due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (aggregate_id, endpoint_id, event_id)
  WHERE state = 'PENDING';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, ended_at) WHERE state = 'FAILED';

-- at_once: now, for a column of milliseconds. Rounded as such a column does it, now may be still to come.
CREATE FUNCTION at_once() RETURNS timestamptz LANGUAGE sql AS $$
  SELECT date_trunc('milliseconds', clock_timestamp());
$$;

-- keep_in_order: until the transaction ends nobody else begins or ends a delivery of these aggregates. What decides which of
-- them is the earliest looks after this, and then nobody overlooks anybody. By one of 64 locks each, taken in their order: a
-- server has a limited number of locks for all of its sessions.
CREATE FUNCTION keep_in_order(p_aggregate_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_lock bigint;
BEGIN
  FOR v_lock IN
    SELECT DISTINCT hashtextextended(aggregate_id::text, 0) & 63 AS lock FROM unnest(p_aggregate_ids) AS aggregate_id ORDER BY lock
  LOOP
    PERFORM pg_advisory_xact_lock(hashtextextended('webhook_deliveries ' || v_lock, 3));
  END LOOP;
END $$;

-- wake_earliest: of each of these pairs of endpoint and aggregate the earliest that is pending is due, at once if it had no time.
-- Replies how many had none.
CREATE FUNCTION wake_earliest(p_endpoint_ids uuid[], p_aggregate_ids uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE webhook_deliveries d SET due_at = at_once()
  FROM unnest(p_endpoint_ids, p_aggregate_ids) AS line (endpoint_id, aggregate_id)
    CROSS JOIN LATERAL (
      SELECT p.delivery_id FROM webhook_deliveries p
      WHERE p.state = 'PENDING' AND p.aggregate_id = line.aggregate_id AND p.endpoint_id = line.endpoint_id
      ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1) AS earliest
  WHERE d.delivery_id = earliest.delivery_id AND d.due_at IS NULL;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;

-- create_endpoint: one endpoint more, unless there are p_endpoints_max. Replies {answer: {createdAt}} | {refusal, facts}.
CREATE FUNCTION create_endpoint(
  p_endpoint_id uuid, p_url text, p_event_types text[], p_secret text, p_endpoints_max integer
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_created_at timestamptz(3);
BEGIN
  -- Or two who come at once could both be the last.
  PERFORM pg_advisory_xact_lock(hashtextextended('webhook_endpoints', 3));
  IF (SELECT count(*) FROM webhook_endpoints WHERE deleted_at IS NULL) >= p_endpoints_max THEN
    RETURN jsonb_build_object('refusal', 'webhook-limit-reached', 'facts', jsonb_build_object('limit', p_endpoints_max));
  END IF;
  INSERT INTO webhook_endpoints (endpoint_id, url, event_types, secret)
  VALUES (p_endpoint_id, p_url, p_event_types, p_secret) RETURNING created_at INTO v_created_at;
  RETURN jsonb_build_object('answer', jsonb_build_object('createdAt', v_created_at));
END $$;

-- change_endpoint: changes what is not null. Switched on, it goes on where it was. Replies whether there is such an endpoint.
CREATE FUNCTION change_endpoint(p_endpoint_id uuid, p_url text, p_event_types text[], p_enabled boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhook_endpoints SET
    url = coalesce(p_url, url),
    event_types = coalesce(p_event_types, event_types),
    disabled_at = CASE p_enabled WHEN true THEN NULL WHEN false THEN coalesce(disabled_at, clock_timestamp()) ELSE disabled_at END,
    disabled_reason = CASE p_enabled WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, 'operator') ELSE disabled_reason END
  WHERE endpoint_id = p_endpoint_id AND deleted_at IS NULL;
  RETURN FOUND;
END $$;

-- settle_events: these were relayed in this term. They are due at every endpoint that wants them, those of one aggregate one
-- after the other, and the relay is free again. Replies whether the term was the last one; otherwise nothing is done.
CREATE FUNCTION settle_events(p_term bigint, p_event_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE relays SET leased_until = at_once(), unsettled = 0 WHERE relay = 'events' AND term = p_term;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  -- Or whoever ends the one before does not see this one, nor this one that it has ended.
  PERFORM keep_in_order(ARRAY(SELECT aggregate_id FROM events WHERE event_id = ANY (p_event_ids)));

  -- Whether there is an earlier one is asked by the index, one by one: it may be that a hundred thousand wait behind it.
  INSERT INTO webhook_deliveries (endpoint_id, event_id, aggregate_id, due_at)
  SELECT w.endpoint_id, e.event_id, e.aggregate_id,
    CASE WHEN row_number() OVER (PARTITION BY w.endpoint_id, e.aggregate_id ORDER BY e.event_id) = 1 AND (
        SELECT p.delivery_id FROM webhook_deliveries p
        WHERE p.state = 'PENDING' AND p.aggregate_id = e.aggregate_id AND p.endpoint_id = w.endpoint_id
        ORDER BY p.aggregate_id, p.endpoint_id, p.event_id LIMIT 1) IS NULL
      THEN at_once() END
  FROM events e JOIN webhook_endpoints w
    ON w.disabled_at IS NULL AND w.deleted_at IS NULL AND (w.event_types = '{}' OR e.type = ANY (w.event_types))
  WHERE e.event_id = ANY (p_event_ids) AND e.relayed_at IS NULL
  ORDER BY e.event_id;

  UPDATE events SET relayed_at = clock_timestamp() WHERE event_id = ANY (p_event_ids) AND relayed_at IS NULL;
  RETURN true;
END $$;

-- forget_events: forgets up to p_batch_max events that were relayed so long ago, with all that became of them, endpoints that
-- were deleted once nothing is left of theirs, and secrets that do not sign any more. It looks at the oldest events only.
-- Replies how many events.
CREATE FUNCTION forget_events(p_retention_seconds integer, p_batch_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_old bigint[];
  v_endpoints uuid[];
  v_aggregates uuid[];
BEGIN
  -- Locked are those only that go; most of the time there are none. One that is being sent again is left for later.
  SELECT array_agg(event_id) INTO v_old FROM (
    SELECT event_id FROM events
    WHERE event_id IN (
      SELECT event_id FROM (SELECT event_id, relayed_at FROM events ORDER BY event_id LIMIT p_batch_max) AS oldest
      WHERE relayed_at < clock_timestamp() - make_interval(secs => p_retention_seconds))
    ORDER BY event_id FOR UPDATE SKIP LOCKED) AS old;
  IF v_old IS NOT NULL THEN
    SELECT array_agg(endpoint_id), array_agg(aggregate_id) INTO v_endpoints, v_aggregates
    FROM webhook_deliveries WHERE event_id = ANY (v_old) AND state = 'PENDING';
    PERFORM keep_in_order(v_aggregates);
    -- Whoever comes too late with an attempt finds nothing to write it to.
    PERFORM 1 FROM webhook_deliveries WHERE event_id = ANY (v_old) ORDER BY delivery_id FOR UPDATE;
    DELETE FROM webhook_attempts
    WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries WHERE event_id = ANY (v_old));
    DELETE FROM webhook_deliveries WHERE event_id = ANY (v_old);
    DELETE FROM events WHERE event_id = ANY (v_old);
    -- What waited for one of these waits no more.
    PERFORM wake_earliest(v_endpoints, v_aggregates);
  END IF;
  DELETE FROM webhook_endpoints w
  WHERE deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.endpoint_id);
  UPDATE webhook_endpoints SET previous_secret = NULL, previous_secret_until = NULL
  WHERE previous_secret_until <= clock_timestamp();
  RETURN coalesce(cardinality(v_old), 0);
END $$;
