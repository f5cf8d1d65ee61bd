import { cancellationRoutes } from './booking/cancellations.ts';
import { extensionRoutes } from './booking/extensions.ts';
import { paymentRoutes } from './booking/payments.ts';
import { reservationRoutes } from './booking/reservations.ts';
import { concertRoutes } from './catalog/concerts.ts';
import { managedConcertRoutes } from './catalog/managed-concerts.ts';
import { policyRoutes } from './catalog/policies.ts';
import { deliveryRoutes } from './events/deliveries.ts';
import { webhookRoutes } from './events/webhooks.ts';
import type { Api, Kit } from './kit.ts';
import { joinChallengeRoutes } from './queue/join-challenges.ts';
import { publicQueueRoutes } from './queue/public-queue.ts';
import { queueRoutes } from './queue/queue.ts';
import { queueEventRoutes } from './queue/queue-events.ts';
import { queueFigureRoutes } from './queue/queue-figures.ts';
import { recordRoutes } from './records/records.ts';
import { userRoutes } from './wallet/users.ts';

/** The routes of `/v1`, in the order of the OpenAPI document. */
export function v1Routes(api: Api, kit: Kit): void {
  queueRoutes(api, kit);
  joinChallengeRoutes(api, kit);
  queueEventRoutes(api, kit);
  publicQueueRoutes(api, kit);
  concertRoutes(api, kit);
  reservationRoutes(api, kit);
  extensionRoutes(api, kit);
  cancellationRoutes(api, kit);
  paymentRoutes(api, kit);
  userRoutes(api, kit);
  managedConcertRoutes(api, kit);
  policyRoutes(api, kit);
  queueFigureRoutes(api, kit);
  recordRoutes(api, kit);
  webhookRoutes(api, kit);
  deliveryRoutes(api, kit);
}
