import { messageIdOf } from '#domain/events/public-event.ts';
import type { Attempt, Delivery, Endpoint } from '#domain/events/webhook.ts';
import type { WithSecret } from '#ports/events/webhooks.ts';

// How endpoints and deliveries are written in an answer: times as RFC 3339 in UTC.

export const viewEndpoint = ({ eventTypes, previousSecretUntil, createdAt, ...endpoint }: Endpoint) => ({
  ...endpoint,
  eventTypes: [...eventTypes],
  ...(previousSecretUntil && { previousSecretUntil: previousSecretUntil.toISOString() }),
  createdAt: createdAt.toISOString(),
});

export const viewWithSecret = ({ endpoint, secret }: WithSecret) => ({ ...viewEndpoint(endpoint), secret });

const viewAttempt = ({ endedAt, ...attempt }: Attempt) => ({ ...attempt, endedAt: endedAt.toISOString() });

export const viewDelivery = (delivery: Delivery) => {
  const { eventId, happenedAt, nextAttemptAt, endedAt, createdAt, lastAttempt, ...rest } = delivery;
  return {
    ...rest,
    messageId: messageIdOf({ eventId, at: happenedAt }),
    happenedAt: happenedAt.toISOString(),
    ...(nextAttemptAt && { nextAttemptAt: nextAttemptAt.toISOString() }),
    ...(endedAt && { endedAt: endedAt.toISOString() }),
    createdAt: createdAt.toISOString(),
    ...(lastAttempt && { lastAttempt: viewAttempt(lastAttempt) }),
  };
};

export const viewWithLog = (found: { readonly delivery: Delivery; readonly attemptLog: readonly Attempt[] }) => ({
  ...viewDelivery(found.delivery),
  attemptLog: found.attemptLog.map(viewAttempt),
});
