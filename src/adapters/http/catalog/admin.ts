import type { FastifyRequest } from 'fastify';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { params } from '#adapters/http/schemas.ts';
import { viewKeptPlan, viewManaged, viewPolicy } from '#adapters/http/views.ts';
import { seatOrder } from '#domain/booking/reservation.ts';
import type { PolicyChange } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { changePolicy } from '#use-cases/catalog/change-policy.ts';
import { createConcert } from '#use-cases/catalog/create-concert.ts';
import { readQueue } from '#use-cases/queue/read-queue.ts';
import { adminBody, changeOf, keptPlan, line, managedConcert, PLAN_LIMIT_BYTES, policy } from './admin-schemas.ts';

export function adminRoutes(api: Api, { ports, requireAdminKey, limitCommands, currency }: Kit): void {
  const common = { tags: ['admin'], security: [{ adminKey: [] }] };
  const ofConcert = { ...common, params: params.concert };
  const command = { onRequest: requireAdminKey, preValidation: limitCommands };
  const refusedCommand = [...refusedBy.adminKey, ...refusedBy.command];

  /** Who changed what is in the log, whatever else is. */
  async function change(request: FastifyRequest, id: string, change: PolicyChange) {
    const changed = await changePolicy(ports, { concertId: concertId(id), change });
    request.log.info({ adminKeyId: request.adminKeyId, concertId: id, change }, 'changed a policy');
    return viewPolicy(changed.policy);
  }

  api.post(
    '/admin/concerts',
    {
      ...command,
      bodyLimit: PLAN_LIMIT_BYTES,
      schema: {
        ...common,
        operationId: 'createConcert',
        summary: 'Put a concert on sale',
        description:
          'With its dates, seats, prices and policy, as a whole. The currency is the one of the settings. Dates without seats ' +
          'have those of the seat plan, see docs/seat-plans.md.',
        body: adminBody.plan,
        response: { 201: answer(managedConcert, 'The concert is there'), ...refusals(...refusedCommand) },
      },
    },
    async (request, reply) => {
      const { salesOpenAt, dates, policy, ...plan } = request.body;
      const created = await createConcert(ports, {
        ...plan,
        currency,
        policy: changeOf(policy),
        salesOpenAt: new Date(salesOpenAt),
        dates: dates.map(({ date, startsAt, seats }) => ({
          date: concertDate(date),
          startsAt: new Date(startsAt),
          seats,
        })),
      });
      const { adminKeyId } = request;
      request.log.info({ adminKeyId, concertId: created.concertId, change: policy }, 'put a concert on sale');
      return reply.status(201).send(viewManaged(created));
    },
  );

  api.get(
    '/admin/concerts/:concertId/seat-plan',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofConcert,
        operationId: 'getSeatPlan',
        summary: 'The plan that the seats were made by',
        response: {
          200: answer(keptPlan, 'The plan as it was given, and its hash'),
          ...refusals('seat-plan-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request) => {
      const kept = await ports.concerts.findSeatPlan(concertId(request.params.concertId));
      if (kept === undefined) throw new Refusal('seat-plan-not-found');
      return viewKeptPlan(kept);
    },
  );

  for (const [name, summary, description] of [
    ['block', 'Take free seats off sale', 'All of them or none: seats that are held or sold are in the way.'],
    ['unblock', 'Put blocked seats on sale again', 'Seats that are not blocked stay as they are.'],
  ] as const) {
    api.post(
      `/admin/concerts/:concertId/dates/:date/seats/${name}`,
      {
        ...command,
        schema: {
          ...common,
          params: params.date,
          operationId: `${name}Seats`,
          summary,
          description,
          body: adminBody.blocking,
          response: {
            204: noContent('Done'),
            ...refusals('seat-not-found', ...(name === 'block' ? (['seat-taken'] as const) : []), ...refusedCommand),
          },
        },
      },
      async (request, reply) => {
        const { concertId: id, date } = request.params;
        const { seatNumbers } = request.body;
        await ports.boxOffice[name]({
          concertId: concertId(id),
          date: concertDate(date),
          seatNumbers: seatOrder(seatNumbers),
        });
        request.log.info({ adminKeyId: request.adminKeyId, concertId: id, date, seatNumbers }, `${name}ed seats`);
        return reply.status(204).send();
      },
    );
  }

  api.get(
    '/admin/concerts/:concertId/policy',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofConcert,
        operationId: 'getPolicy',
        summary: 'How a line is let in',
        response: {
          200: answer(policy, 'The policy: what is decided for the concert, and the settings for the rest'),
          ...refusals('concert-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request) => {
      const found = await ports.concerts.find(concertId(request.params.concertId));
      if (found === undefined) throw new Refusal('concert-not-found');
      return viewPolicy(found.policy);
    },
  );

  api.patch(
    '/admin/concerts/:concertId/policy',
    {
      ...command,
      schema: {
        ...ofConcert,
        operationId: 'changePolicy',
        summary: 'Change how a line is let in',
        description:
          'What is left out stays; null gives a decision back to the settings. In effect on all instances within a second. ' +
          'A new length of sessions or claims holds for those who are let in from then on.',
        body: adminBody.policyChange,
        response: {
          200: answer(policy, 'The policy as it is now'),
          ...refusals('concert-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => change(request, request.params.concertId, changeOf(request.body)),
  );

  api.post(
    '/admin/concerts/:concertId/pause',
    {
      ...command,
      schema: {
        ...ofConcert,
        operationId: 'pauseLine',
        summary: 'Let nobody in for now',
        description: 'Who is in stays until their session ends; people may join and wait. Nobody is passed over.',
        response: {
          200: answer(policy, 'The policy as it is now'),
          ...refusals('concert-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => change(request, request.params.concertId, { paused: true }),
  );

  api.post(
    '/admin/concerts/:concertId/resume',
    {
      ...command,
      schema: {
        ...ofConcert,
        operationId: 'resumeLine',
        summary: 'Let people in again',
        response: {
          200: answer(policy, 'The policy as it is now'),
          ...refusals('concert-not-found', ...refusedCommand),
        },
      },
    },
    async (request) => change(request, request.params.concertId, { paused: false }),
  );

  api.get(
    '/admin/concerts/:concertId/line',
    {
      onRequest: requireAdminKey,
      schema: {
        ...ofConcert,
        operationId: 'getLine',
        summary: 'The figures of a line right now',
        response: {
          200: answer(line, 'The figures, all of one moment'),
          ...refusals('concert-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request) => readQueue(ports, concertId(request.params.concertId)),
  );
}
