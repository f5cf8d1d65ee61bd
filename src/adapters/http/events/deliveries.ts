import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
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

/** What became of the events that were sent to an endpoint, and sending them again. */
export function deliveryRoutes(api: Api, { ports, requireAdminKey, limitCommands }: Kit): void {
  const common = { tags: ['webhooks'], security: [{ adminKey: [] }] };
  const ofEndpoint = { ...common, params: webhookParams.endpoint };
  const ofDelivery = { ...common, params: webhookParams.delivery };
  const command = { onRequest: requireAdminKey, preValidation: limitCommands };
  const refusedCommand = [...refusedBy.adminKey, ...refusedBy.command];

  async function known(id: string): Promise<EndpointId> {
    const found = await ports.webhooks.find(endpointId(id));
    if (found === undefined) throw new Refusal('webhook-not-found');
    return found.endpointId;
  }

  api.post(
    '/admin/webhooks/:endpointId/test',
    {
      ...command,
      schema: {
        ...ofEndpoint,
        operationId: 'testWebhook',
        summary: 'Send a test event to an endpoint',
        description:
          'Of type webhook.test, to this endpoint only; once it is switched on, if it is not. Ask for the delivery to see what became of it.',
        response: {
          202: answer(delivery, 'It is to be sent'),
          ...refusals('webhook-not-found', ...refusedCommand),
        },
      },
    },
    async (request, reply) => {
      const test = await ports.deliveries.test(endpointId(request.params.endpointId));
      if (test === undefined) throw new Refusal('webhook-not-found');
      return reply.status(202).send(viewDelivery(test));
    },
  );

  api.get(
    '/admin/webhooks/:endpointId/deliveries',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofEndpoint,
        operationId: 'listWebhookDeliveries',
        summary: 'What was sent to an endpoint, newest first',
        querystring: webhookQuery.deliveries,
        response: {
          200: answer(deliveryPage, 'A page of deliveries', 'Link'),
          ...refusals('webhook-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request, reply) => {
      const { state, ...asked } = request.query;
      const page = pageRequest(asked, 'number');
      const found = await ports.deliveries.list(await known(request.params.endpointId), page, state);
      return answerPage(request, reply, found, viewDelivery);
    },
  );

  api.get(
    '/admin/webhooks/:endpointId/deliveries/:deliveryId',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofDelivery,
        operationId: 'getWebhookDelivery',
        summary: 'One delivery, with all its attempts',
        response: {
          200: answer(deliveryWithLog, 'The delivery'),
          ...refusals('delivery-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request) => {
      const { endpointId: id, deliveryId } = request.params;
      const found = await ports.deliveries.find(endpointId(id), deliveryId);
      if (found === undefined) throw new Refusal('delivery-not-found');
      return viewWithLog(found);
    },
  );

  api.post(
    '/admin/webhooks/:endpointId/deliveries/:deliveryId/replay',
    {
      ...command,
      schema: {
        ...ofDelivery,
        operationId: 'replayWebhookDelivery',
        summary: 'Send an event again',
        description:
          'Whether it arrived or was given up, under the same webhook-id; once the endpoint is switched on, if it is not.',
        response: {
          202: answer(delivery, 'It is to be sent'),
          ...refusals('delivery-not-found', 'delivery-pending', ...refusedCommand),
        },
      },
    },
    async (request, reply) => {
      const { endpointId: id, deliveryId } = request.params;
      const again = await ports.deliveries.replay(endpointId(id), deliveryId);
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, deliveryId }, 'sends an event again');
      return reply.status(202).send(viewDelivery(again));
    },
  );

  api.post(
    '/admin/webhooks/:endpointId/replay',
    {
      ...command,
      schema: {
        ...ofEndpoint,
        operationId: 'replayWebhook',
        summary: 'Send again what was given up',
        description: `Since a time, the oldest events first, up to ${REPLAY_MAX} per call; once the endpoint is switched on, if it is not.`,
        body: webhookBody.replay,
        response: {
          200: answer(replayed, 'They are to be sent'),
          ...refusals('webhook-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => {
      const id = await known(request.params.endpointId);
      const count = await ports.deliveries.replayFailed(id, new Date(request.body.since), REPLAY_MAX);
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, count }, 'sends events again');
      return { replayed: count };
    },
  );
}
