import type { Statement } from '#adapters/postgres/client/statement.ts';
import type { EventType, OfferedEventType } from '#domain/events/public-event.ts';
import type { DeliveryState } from '#domain/events/webhook.ts';

// The statements of events and webhooks that need no function.

export type EndpointRow = {
  readonly endpointId: string;
  readonly url: string;
  readonly eventTypes: OfferedEventType[];
  readonly disabledReason: 'operator' | 'gone' | null;
  /** Null once it no longer signs. */
  readonly previousSecretUntil: Date | null;
  readonly createdAt: Date;
};

export type DeliveryRow = {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly type: EventType;
  readonly happenedAt: Date;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly dueAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  /** Null before the first attempt has ended. */
  readonly attempt: number | null;
  readonly attemptEndedAt: Date | null;
  readonly durationMs: number | null;
  readonly status: number | null;
  readonly failure: string | null;
};

const endpointColumns = `endpoint_id AS "endpointId", url, event_types AS "eventTypes",
  disabled_reason AS "disabledReason", created_at AS "createdAt",
  CASE WHEN previous_secret_until > clock_timestamp() THEN previous_secret_until END AS "previousSecretUntil"`;

/** The due time of the next attempt. Null while a delivery is leased, as its due time is then the end of the lease. */
const promisedAt = 'CASE WHEN d.attempts = coalesce(a.attempt, 0) AND w.disabled_at IS NULL THEN d.due_at END';

const deliveries = `
  SELECT d.delivery_id AS "deliveryId", d.endpoint_id AS "endpointId", d.event_id AS "eventId", e.type,
    e.happened_at AS "happenedAt", d.state, d.attempts, ${promisedAt} AS "dueAt", d.ended_at AS "endedAt",
    d.created_at AS "createdAt", a.attempt, a.ended_at AS "attemptEndedAt", a.duration_ms AS "durationMs", a.status, a.failure
  FROM webhook_deliveries d JOIN webhook_endpoints w USING (endpoint_id) JOIN events e USING (event_id)
    LEFT JOIN LATERAL (SELECT * FROM webhook_attempts l
      WHERE l.delivery_id = d.delivery_id ORDER BY l.attempt DESC LIMIT 1) AS a ON true
  WHERE w.deleted_at IS NULL AND d.endpoint_id = $1`;

/** Rounded down to milliseconds like the columns, as in `at_once`. */
const now = "date_trunc('milliseconds', clock_timestamp())";

export const webhookStatements = {
  releaseEvents: {
    name: 'release-events',
    text: `UPDATE relays SET leased_until = ${now}, unacked = 0 WHERE relay = 'events' AND fencing_token = $1
      RETURNING relay`,
  } as Statement<[fencingToken: number], { readonly relay: string }>,

  rotateSecret: {
    name: 'rotate-secret',
    text: `UPDATE webhook_endpoints SET secret = $2,
        previous_secret = CASE WHEN $3 > 0 THEN secret END,
        previous_secret_until = CASE WHEN $3 > 0 THEN clock_timestamp() + make_interval(secs => $3) END
      WHERE endpoint_id = $1 AND deleted_at IS NULL RETURNING ${endpointColumns}`,
  } as Statement<[endpointId: string, secret: string, previousForSeconds: number], EndpointRow>,

  removeEndpoint: {
    name: 'remove-endpoint',
    text: `UPDATE webhook_endpoints SET deleted_at = clock_timestamp() WHERE endpoint_id = $1 AND deleted_at IS NULL
      RETURNING endpoint_id AS "endpointId"`,
  } as Statement<[endpointId: string], Pick<EndpointRow, 'endpointId'>>,

  findEndpoint: {
    name: 'find-endpoint',
    text: `SELECT ${endpointColumns} FROM webhook_endpoints WHERE endpoint_id = $1 AND deleted_at IS NULL`,
  } as Statement<[endpointId: string], EndpointRow>,

  listEndpoints: {
    name: 'list-endpoints',
    text: `SELECT ${endpointColumns} FROM webhook_endpoints
      WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR endpoint_id < $1) ORDER BY endpoint_id DESC LIMIT $2`,
  } as Statement<[after: string | undefined, limit: number], EndpointRow>,

  listDueEndpoints: {
    name: 'list-due-endpoints',
    text: `SELECT endpoint_id AS "endpointId" FROM webhook_endpoints w
      WHERE disabled_at IS NULL AND deleted_at IS NULL AND EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.endpoint_id = w.endpoint_id AND d.state = 'PENDING' AND d.due_at <= statement_timestamp())`,
  } as Statement<[], Pick<EndpointRow, 'endpointId'>>,

  releaseDelivery: {
    name: 'release-delivery',
    text: `UPDATE webhook_deliveries SET due_at = ${now}
      WHERE delivery_id = $1 AND attempts = $2 AND state = 'PENDING'`,
  } as Statement<[deliveryId: string, attempt: number], never>,

  findDelivery: {
    name: 'find-delivery',
    text: `${deliveries} AND d.delivery_id = $2`,
  } as Statement<[endpointId: string, deliveryId: string], DeliveryRow>,

  listDeliveries: {
    name: 'list-deliveries',
    text: `${deliveries} AND ($2::bigint IS NULL OR d.delivery_id < $2) ORDER BY d.delivery_id DESC LIMIT $3`,
  } as Statement<[endpointId: string, after: string | undefined, limit: number], DeliveryRow>,

  /** A statement of its own, so that each uses its index. */
  listDeliveriesIn: {
    name: 'list-deliveries-in',
    text: `${deliveries} AND d.state = $4 AND ($2::bigint IS NULL OR d.delivery_id < $2)
      ORDER BY d.delivery_id DESC LIMIT $3`,
  } as Statement<[endpointId: string, after: string | undefined, limit: number, state: DeliveryState], DeliveryRow>,
};
