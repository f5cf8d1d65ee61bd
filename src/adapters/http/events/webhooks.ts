import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { query } from '#adapters/http/schemas.ts';
import { Refusal } from '#domain/errors.ts';
import { endpointId } from '#domain/ids.ts';
import { changeWebhook } from '#use-cases/events/change-webhook.ts';
import { createWebhook } from '#use-cases/events/create-webhook.ts';
import { endpoint, endpointPage, endpointWithSecret, webhookBody, webhookParams } from './webhook-schemas.ts';
import { viewEndpoint, viewWithSecret } from './webhook-views.ts';

/** Where events are sent to. */
export function webhookRoutes(api: Api, { ports, requireAdminKey, limitCommands }: Kit): void {
  const common = { tags: ['webhooks'], security: [{ adminKey: [] }] };
  const ofEndpoint = { ...common, params: webhookParams.endpoint };
  const command = { onRequest: requireAdminKey, preValidation: limitCommands };
  const refusedCommand = [...refusedBy.adminKey, ...refusedBy.command];

  api.post(
    '/admin/webhooks',
    {
      ...command,
      schema: {
        ...common,
        operationId: 'createWebhook',
        summary: 'Send events to an endpoint',
        description:
          'By the Standard Webhooks convention, from now on. The answer is the only one that tells the secret. See docs/webhooks.md.',
        body: webhookBody.endpoint,
        response: {
          201: answer(endpointWithSecret, 'The endpoint and its secret'),
          ...refusals('webhook-url-refused', 'webhook-limit-reached', ...refusedCommand),
        },
      },
    },
    async (request, reply) => {
      const created = await createWebhook(ports, request.body);
      const { adminKeyId } = request;
      request.log.info({ adminKeyId, endpointId: created.endpoint.endpointId }, 'made an endpoint');
      return reply.status(201).send(viewWithSecret(created));
    },
  );

  api.get(
    '/admin/webhooks',
    {
      onRequest: requireAdminKey,
      schema: {
        ...common,
        operationId: 'listWebhooks',
        summary: 'The endpoints, newest first',
        querystring: query.page,
        response: { 200: answer(endpointPage, 'A page of endpoints', 'Link'), ...refusals(...refusedBy.adminKey) },
      },
    },
    async (request, reply) => {
      const page = await ports.webhooks.list(pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewEndpoint);
    },
  );

  api.get(
    '/admin/webhooks/:endpointId',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofEndpoint,
        operationId: 'getWebhook',
        summary: 'One endpoint',
        response: { 200: answer(endpoint, 'The endpoint'), ...refusals('webhook-not-found', ...refusedBy.adminKey) },
      },
    },
    async (request) => {
      const found = await ports.webhooks.find(endpointId(request.params.endpointId));
      if (found === undefined) throw new Refusal('webhook-not-found');
      return viewEndpoint(found);
    },
  );

  api.patch(
    '/admin/webhooks/:endpointId',
    {
      ...command,
      schema: {
        ...ofEndpoint,
        operationId: 'changeWebhook',
        summary: 'Change where an endpoint is, what it is sent, or whether',
        description:
          'What is left out stays. While it is not enabled nothing is sent: what is pending goes on afterwards, what happens ' +
          'meanwhile is not for it.',
        body: webhookBody.change,
        response: {
          200: answer(endpoint, 'The endpoint as it is now'),
          ...refusals('webhook-url-refused', 'webhook-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => {
      const id = endpointId(request.params.endpointId);
      const changed = await changeWebhook(ports, { endpointId: id, change: request.body });
      const { url, ...told } = request.body;
      const change = { ...told, ...(url === undefined ? {} : { url: 'another' }) };
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, change }, 'changed an endpoint');
      return viewEndpoint(changed);
    },
  );

  api.delete(
    '/admin/webhooks/:endpointId',
    {
      ...command,
      schema: {
        ...ofEndpoint,
        operationId: 'deleteWebhook',
        summary: 'Send nothing more to an endpoint',
        description: 'What is pending is not sent. Its deliveries cannot be looked at any more.',
        response: { 204: noContent('It is gone'), ...refusals('webhook-not-found', ...refusedCommand) },
      },
    },
    async (request, reply) => {
      const id = endpointId(request.params.endpointId);
      if (!(await ports.webhooks.remove(id))) throw new Refusal('webhook-not-found');
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id }, 'deleted an endpoint');
      return reply.status(204).send();
    },
  );

  api.post(
    '/admin/webhooks/:endpointId/rotate-secret',
    {
      ...command,
      schema: {
        ...ofEndpoint,
        operationId: 'rotateWebhookSecret',
        summary: 'Make a new secret',
        description: 'Messages are signed with both for a while, so that the receiver can change over.',
        body: webhookBody.rotation,
        response: {
          200: answer(endpointWithSecret, 'The endpoint and its new secret'),
          ...refusals('webhook-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => {
      const id = endpointId(request.params.endpointId);
      const rotated = await ports.webhooks.rotate(id, request.body.previousForSeconds);
      if (rotated === undefined) throw new Refusal('webhook-not-found');
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id }, 'made a new secret for an endpoint');
      return viewWithSecret(rotated);
    },
  );
}
