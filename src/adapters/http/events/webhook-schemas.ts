import { z } from 'zod';
import { count, example, id, instant, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { pageQuery } from '#adapters/http/paging.ts';
import { eventTypes } from '#domain/events/public-event.ts';
import { deliveryStates } from '#domain/events/webhook.ts';

// The shapes of `/v1/admin/webhooks`.

const URL_LENGTH_MAX = 2_000;
/** A leaked secret is revoked at once; a routine rotation has up to a week. */
const PREVIOUS_SECONDS_MAX = 604_800;
/** Per call. Call again for more. */
export const REPLAY_MAX = 1_000;

const ours = {
  endpoint: '01939c70-5d21-7a86-9b3f-4e8c1d07a2f6',
  url: 'https://shop.example.com/webhooks/frontrow',
  secret: 'whsec_VGhpcyBpcyBhbiBleGFtcGxlLCBub3QgYSBzZWNyZXQ=',
  createdAt: '2026-11-19T12:00:00.000Z',
  sentAt: '2026-11-20T09:34:45.310Z',
};

const url = example(
  z
    .url({ protocol: /^https?$/ })
    .max(URL_LENGTH_MAX)
    .describe('https, with a host name that resolves to public addresses only'),
  ours.url,
);
const types = example(
  z
    .array(z.enum(eventTypes))
    .refine((all) => new Set(all).size === all.length, 'must not name a type twice')
    .describe('The types that are sent; empty: all'),
  ['payment.captured', 'payment.refunded'],
);
const deliveryId = example(z.string().regex(/^[1-9]\d{0,17}$/), '4711');
const secret = example(z.string().describe('Verifies the signatures. No other answer contains it'), ours.secret);

export const webhookParams = {
  endpoint: z.object({ endpointId: id(ours.endpoint) }),
  delivery: z.object({ endpointId: id(ours.endpoint), deliveryId }),
};

export const webhookQuery = {
  deliveries: pageQuery.extend({
    state: z.enum(deliveryStates).optional().describe('Only deliveries in this state'),
  }),
};

export const webhookBody = {
  endpoint: example(z.strictObject({ url, eventTypes: types.default([]) }), {
    url: ours.url,
    eventTypes: ['payment.captured', 'payment.refunded'],
  }),
  change: example(
    z
      .strictObject({
        url: url.optional(),
        eventTypes: types.optional(),
        enabled: example(z.boolean().optional().describe('Whether anything is sent'), true),
      })
      .refine((change) => Object.keys(change).length > 0, 'must name what is to be changed'),
    { enabled: true },
  ),
  rotation: example(
    z.strictObject({
      previousForSeconds: example(
        z
          .int()
          .min(0)
          .max(PREVIOUS_SECONDS_MAX)
          .describe('How long messages are also signed with the previous secret; 0: not at all'),
        86_400,
      ),
    }),
    { previousForSeconds: 86_400 },
  ),
  replay: example(
    z.strictObject({ since: instant('2026-11-20T00:00:00.000Z').describe('Those that failed since then') }),
    { since: '2026-11-20T00:00:00.000Z' },
  ),
};

const endpointFields = {
  endpointId: id(ours.endpoint),
  url,
  eventTypes: types,
  enabled: example(z.boolean().describe('Whether anything is sent'), true),
  disabledReason: z.enum(['operator', 'gone']).optional().describe('gone: it answered 410. Present while disabled'),
  previousSecretUntil: z.iso
    .datetime({ precision: 3 })
    .optional()
    .describe('Until then, messages are also signed with the previous secret')
    .meta({ examples: ['2026-11-21T09:30:00.000Z'] }),
  createdAt: instant(ours.createdAt),
};
const shop = {
  endpointId: ours.endpoint,
  url: ours.url,
  eventTypes: ['payment.captured' as const, 'payment.refunded' as const],
  enabled: true,
  createdAt: ours.createdAt,
};

export const endpoint = named('WebhookEndpoint', z.object(endpointFields), shop);
export const endpointWithSecret = named('WebhookEndpointWithSecret', z.object({ ...endpointFields, secret }), {
  ...shop,
  secret: ours.secret,
});
export const endpointPage = named(
  'WebhookEndpointPage',
  z.object({ items: z.array(endpoint), nextCursor: example(z.string().optional(), 'MDE5MzljNjE') }),
  { items: [shop] },
);

const attemptFields = {
  attempt: example(z.int().min(1), 1),
  endedAt: instant(ours.sentAt),
  durationMs: count(184, 'Milliseconds'),
  status: example(z.int().optional().describe('The status of the answer, if one came'), 200),
  failure: example(z.string().optional().describe('Why no answer came'), 'no answer within 15000 ms'),
};
const attempt = z.object(attemptFields);
const arrived = { attempt: 1, endedAt: ours.sentAt, durationMs: 184, status: 200 };

const deliveryFields = {
  deliveryId,
  endpointId: id(ours.endpoint),
  messageId: example(
    z.string().describe('The webhook-id header; the same for every attempt and replay'),
    'evt_1795167285000_1042',
  ),
  type: example(z.enum([...eventTypes, 'webhook.test']), 'payment.captured'),
  happenedAt: instant(story.paidAt),
  state: example(z.enum(deliveryStates).describe('PENDING until it is DELIVERED or FAILED'), 'DELIVERED'),
  attempts: count(1, 'Attempts that were started'),
  nextAttemptAt: z.iso
    .datetime({ precision: 3 })
    .optional()
    .describe('While PENDING; left out during an attempt, and while the endpoint is disabled')
    .meta({ examples: ['2026-11-20T09:39:50.000Z'] }),
  endedAt: z.iso
    .datetime({ precision: 3 })
    .optional()
    .describe('Once it is DELIVERED or FAILED')
    .meta({ examples: [ours.sentAt] }),
  createdAt: instant('2026-11-20T09:34:45.120Z'),
  lastAttempt: attempt.optional(),
};
const told = {
  deliveryId: '4711',
  endpointId: ours.endpoint,
  messageId: 'evt_1795167285000_1042',
  type: 'payment.captured' as const,
  happenedAt: story.paidAt,
  state: 'DELIVERED' as const,
  attempts: 1,
  endedAt: ours.sentAt,
  createdAt: '2026-11-20T09:34:45.120Z',
  lastAttempt: arrived,
};

export const delivery = named('WebhookDelivery', z.object(deliveryFields), told);
export const deliveryWithLog = named(
  'WebhookDeliveryWithAttempts',
  z.object({ ...deliveryFields, attemptLog: z.array(attempt).describe('Oldest first') }),
  { ...told, attemptLog: [arrived] },
);
export const deliveryPage = named(
  'WebhookDeliveryPage',
  z.object({ items: z.array(delivery), nextCursor: example(z.string().optional(), 'NDcxMQ') }),
  { items: [told] },
);
export const replayed = named(
  'WebhookReplay',
  z.object({ replayed: count(12, `Deliveries that are replayed; ${REPLAY_MAX}: there may be more`) }),
  { replayed: 12 },
);
