import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { Refusal } from '#domain/errors.ts';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import {
  delivery,
  deliveryPage,
  deliveryWithLog,
  REPLAY_MAX,
  replayed,
  webhookBody,
  webhookParams,
  webhookQuery,
} from './webhook-schemas.ts';
import { viewDelivery, viewWithLog } from './webhook-views.ts';

const tags = ['webhooks'];

/** How operators read and replay deliveries. */
export function deliveryRoutes(api: Api, kit: Kit): void {
  testWebhookRoute(api, kit);
  listWebhookDeliveriesRoute(api, kit);
  getWebhookDeliveryRoute(api, kit);
  replayWebhookDeliveryRoute(api, kit);
  replayFailedDeliveriesRoute(api, kit);
}

function testWebhookRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/webhooks/:endpointId/test',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'testWebhook',
        tags,
        params: webhookParams.endpoint,
        summary: 'Send a test event to an endpoint',
        description:
          'Sends an event of type webhook.test to this endpoint only. A disabled endpoint gets it once it is enabled. The delivery shows the outcome.',
        response: { 202: answer(delivery, 'The delivery is scheduled') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request, reply) => {
      const test = await ports.deliveries.test(endpointId(request.params.endpointId));
      if (test === undefined) throw new Refusal('webhook-not-found');
      return reply.status(202).send(viewDelivery(test));
    },
  );
}

function listWebhookDeliveriesRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/webhooks/:endpointId/deliveries',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'listWebhookDeliveries',
        tags,
        params: webhookParams.endpoint,
        summary: 'The deliveries to an endpoint, newest first',
        querystring: webhookQuery.deliveries,
        response: { 200: answer(deliveryPage, 'A page of deliveries', 'Link') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request, reply) => {
      const { state, ...asked } = request.query;
      const page = pageRequest(asked, 'number');
      const found = await ports.deliveries.list(await knownEndpoint(ports, request.params.endpointId), page, state);
      return answerPage(request, reply, found, viewDelivery);
    },
  );
}

function getWebhookDeliveryRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/webhooks/:endpointId/deliveries/:deliveryId',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'getWebhookDelivery',
        tags,
        params: webhookParams.delivery,
        summary: 'One delivery, with all its attempts',
        response: { 200: answer(deliveryWithLog, 'The delivery') },
        refusals: ['delivery-not-found'],
      },
    }),
    async (request) => {
      const { endpointId: id, deliveryId } = request.params;
      const found = await ports.deliveries.find(endpointId(id), deliveryId);
      if (found === undefined) throw new Refusal('delivery-not-found');
      return viewWithLog(found);
    },
  );
}

function replayWebhookDeliveryRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/webhooks/:endpointId/deliveries/:deliveryId/replay',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'replayWebhookDelivery',
        tags,
        params: webhookParams.delivery,
        summary: 'Replay a delivery',
        description:
          'Sends a delivered or failed delivery again, under the same webhook-id. A disabled endpoint gets it once it is enabled.',
        response: { 202: answer(delivery, 'The delivery is scheduled') },
        refusals: ['delivery-not-found', 'delivery-pending'],
      },
    }),
    async (request, reply) => {
      const { endpointId: id, deliveryId } = request.params;
      const replay = await ports.deliveries.replay(endpointId(id), deliveryId);
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, deliveryId }, 'replays a delivery');
      return reply.status(202).send(viewDelivery(replay));
    },
  );
}

function replayFailedDeliveriesRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/webhooks/:endpointId/replay',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'replayWebhook',
        tags,
        params: webhookParams.endpoint,
        summary: 'Replay failed deliveries',
        description: `Sends deliveries again that failed at \`since\` or later, up to ${REPLAY_MAX} per call. A disabled endpoint gets them once it is enabled.`,
        body: webhookBody.replay,
        response: { 200: answer(replayed, 'The deliveries are scheduled') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request) => {
      const id = await knownEndpoint(ports, request.params.endpointId);
      const count = await ports.deliveries.replayFailed(id, new Date(request.body.since), REPLAY_MAX);
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, count }, 'replays failed deliveries');
      return { replayed: count };
    },
  );
}

/** Refuses `webhook-not-found`. */
async function knownEndpoint({ webhooks }: Kit['ports'], id: string): Promise<EndpointId> {
  const found = await webhooks.find(endpointId(id));
  if (found === undefined) throw new Refusal('webhook-not-found');
  return found.endpointId;
}
