import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { Refusal } from '#domain/errors.ts';
import { endpointId } from '#domain/ids.ts';
import { changeWebhook } from '#use-cases/events/change-webhook.ts';
import { createWebhook } from '#use-cases/events/create-webhook.ts';
import { endpoint, endpointPage, endpointWithSecret, webhookBody, webhookParams } from './webhook-schemas.ts';
import { viewEndpoint, viewWithSecret } from './webhook-views.ts';

const tags = ['webhooks'];

/** How operators manage webhook endpoints. */
export function webhookRoutes(api: Api, kit: Kit): void {
  createWebhookRoute(api, kit);
  listWebhooksRoute(api, kit);
  getWebhookRoute(api, kit);
  changeWebhookRoute(api, kit);
  deleteWebhookRoute(api, kit);
  rotateWebhookSecretRoute(api, kit);
}

function createWebhookRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/webhooks',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'createWebhook',
        tags,
        summary: 'Send events to an endpoint',
        description:
          'By the Standard Webhooks specification, from now on. Only this answer contains the secret. See docs/guide/webhooks.md.',
        body: webhookBody.endpoint,
        response: { 201: answer(endpointWithSecret, 'The endpoint and its secret') },
        refusals: ['webhook-url-refused', 'webhook-limit-reached'],
      },
    }),
    async (request, reply) => {
      const created = await createWebhook(ports, request.body);
      const { adminKeyId } = request;
      request.log.info({ adminKeyId, endpointId: created.endpoint.endpointId }, 'made an endpoint');
      return reply.status(201).send(viewWithSecret(created));
    },
  );
}

function listWebhooksRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/webhooks',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'listWebhooks',
        tags,
        summary: 'The endpoints, newest first',
        querystring: pageQuery,
        response: { 200: answer(endpointPage, 'A page of endpoints', 'Link') },
      },
    }),
    async (request, reply) => {
      const page = await ports.webhooks.list(pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewEndpoint);
    },
  );
}

function getWebhookRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/webhooks/:endpointId',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'getWebhook',
        tags,
        params: webhookParams.endpoint,
        summary: 'One endpoint',
        response: { 200: answer(endpoint, 'The endpoint') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request) => {
      const found = await ports.webhooks.find(endpointId(request.params.endpointId));
      if (found === undefined) throw new Refusal('webhook-not-found');
      return viewEndpoint(found);
    },
  );
}

function changeWebhookRoute(api: Api, { guards, ports }: Kit): void {
  api.patch(
    '/admin/webhooks/:endpointId',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'changeWebhook',
        tags,
        params: webhookParams.endpoint,
        summary: 'Change an endpoint',
        description:
          'Omitted fields stay. While an endpoint is disabled, nothing is sent: pending deliveries go on afterwards, and events ' +
          'that happen meanwhile are skipped.',
        body: webhookBody.change,
        response: { 200: answer(endpoint, 'The endpoint after the change') },
        refusals: ['webhook-url-refused', 'webhook-not-found'],
      },
    }),
    async (request) => {
      const id = endpointId(request.params.endpointId);
      const changed = await changeWebhook(ports, { endpointId: id, change: request.body });
      const { url, ...told } = request.body;
      const change = { ...told, ...(url === undefined ? {} : { url: 'another' }) };
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id, change }, 'changed an endpoint');
      return viewEndpoint(changed);
    },
  );
}

function deleteWebhookRoute(api: Api, { guards, ports }: Kit): void {
  api.delete(
    '/admin/webhooks/:endpointId',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'deleteWebhook',
        tags,
        params: webhookParams.endpoint,
        summary: 'Delete an endpoint',
        description: 'Pending deliveries are dropped, and its deliveries can no longer be read.',
        response: { 204: noContent('Deleted') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request, reply) => {
      const id = endpointId(request.params.endpointId);
      if (!(await ports.webhooks.remove(id))) throw new Refusal('webhook-not-found');
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id }, 'deleted an endpoint');
      return reply.status(204).send();
    },
  );
}

function rotateWebhookSecretRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/webhooks/:endpointId/rotate-secret',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'rotateWebhookSecret',
        tags,
        params: webhookParams.endpoint,
        summary: 'Rotate the secret',
        description: 'Messages are signed with both secrets for a while, so that the receiver can change over.',
        body: webhookBody.rotation,
        response: { 200: answer(endpointWithSecret, 'The endpoint and its new secret') },
        refusals: ['webhook-not-found'],
      },
    }),
    async (request) => {
      const id = endpointId(request.params.endpointId);
      const rotated = await ports.webhooks.rotate(id, request.body.previousForSeconds);
      if (rotated === undefined) throw new Refusal('webhook-not-found');
      request.log.info({ adminKeyId: request.adminKeyId, endpointId: id }, 'made a new secret for an endpoint');
      return viewWithSecret(rotated);
    },
  );
}
