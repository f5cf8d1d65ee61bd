-- Webhook endpoints, the deliveries of events to them, and each attempt.

CREATE TYPE delivery_state AS ENUM ('PENDING', 'DELIVERED', 'FAILED');

CREATE TABLE webhook_endpoints (
  endpoint_id uuid NOT NULL,
  url text NOT NULL,
  event_types text[],
  secret text NOT NULL,
  previous_secret text,
  previous_secret_until timestamptz(3),
  disabled_at timestamptz(3),
  disabled_reason text,
  deleted_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (endpoint_id),
  -- 24 to 64 bytes in base64.
  CONSTRAINT webhook_endpoints_secret_form CHECK (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'),
  CONSTRAINT webhook_endpoints_previous_ends CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL)),
  CONSTRAINT webhook_endpoints_disabled_for_a_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
  CONSTRAINT webhook_endpoints_reason_known CHECK (disabled_reason IN ('operator', 'gone')),
  -- Prisma cannot declare a list NOT NULL.
  CONSTRAINT webhook_endpoints_types_given CHECK (event_types IS NOT NULL)
);

-- A delivery is due until it is over. Each is sent and tried by itself, whatever comes of the others.
CREATE TABLE webhook_deliveries (
  delivery_id bigserial NOT NULL,
  endpoint_id uuid NOT NULL,
  event_id bigint NOT NULL,
  state delivery_state NOT NULL DEFAULT 'PENDING',
  attempts integer NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  due_at timestamptz(3),
  ended_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (delivery_id),
  CONSTRAINT webhook_deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id)
    REFERENCES webhook_endpoints (endpoint_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT webhook_deliveries_event_id_fkey FOREIGN KEY (event_id)
    REFERENCES events (event_id) ON UPDATE RESTRICT ON DELETE RESTRICT,
  CONSTRAINT webhook_deliveries_over CHECK ((state = 'PENDING') = (ended_at IS NULL)),
  CONSTRAINT webhook_deliveries_due CHECK ((state = 'PENDING') = (due_at IS NOT NULL))
);

CREATE UNIQUE INDEX webhook_deliveries_event_id_endpoint_id_key ON webhook_deliveries (event_id, endpoint_id);
CREATE INDEX webhook_deliveries_endpoint_id_delivery_id_idx ON webhook_deliveries (endpoint_id, delivery_id);
CREATE INDEX webhook_deliveries_endpoint_id_state_delivery_id_idx ON webhook_deliveries (endpoint_id, state, delivery_id);
CREATE INDEX webhook_deliveries_due_at ON webhook_deliveries (endpoint_id, due_at, delivery_id) WHERE state = 'PENDING';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, ended_at) WHERE state = 'FAILED';

CREATE TABLE webhook_attempts (
  delivery_id bigint NOT NULL,
  attempt integer NOT NULL,
  ended_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  duration_ms integer NOT NULL,
  status integer,
  failure text,

  CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, attempt),
  CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id)
    REFERENCES webhook_deliveries (delivery_id) ON UPDATE RESTRICT ON DELETE RESTRICT
);
