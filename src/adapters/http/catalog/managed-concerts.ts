import type { FastifyRequest } from 'fastify';
import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { seatOrder } from '#domain/booking/reservation.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { createConcert } from '#use-cases/catalog/create-concert.ts';
import { blocking, concertPlan, managedConcert, PLAN_LIMIT_BYTES } from './concert-plan-schemas.ts';
import { concertParams, dateParams } from './concert-schemas.ts';
import { viewKeptPlan, viewManaged } from './concert-views.ts';
import { changeOf } from './policy-schemas.ts';
import { keptPlan } from './seat-plan-schemas.ts';

const tags = ['admin'];

/** How operators put a concert on sale, and take seats off sale. */
export function managedConcertRoutes(api: Api, kit: Kit): void {
  createConcertRoute(api, kit);
  getSeatPlanRoute(api, kit);
  blockSeatsRoute(api, kit);
  unblockSeatsRoute(api, kit);
}

function createConcertRoute(api: Api, { guards, ports, currency }: Kit): void {
  api.post(
    '/admin/concerts',
    guarded([guards.adminKey, guards.commandLimit], {
      bodyLimit: PLAN_LIMIT_BYTES,
      schema: {
        operationId: 'createConcert',
        tags,
        summary: 'Put a concert on sale',
        description:
          'Creates its dates, seats, prices and policy as a whole, in the currency of the settings. Dates without seats ' +
          'get those of the seat plan, see docs/guide/seat-plans.md.',
        body: concertPlan,
        response: { 201: answer(managedConcert, 'The concert is on sale') },
      },
    }),
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
}

function getSeatPlanRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/concerts/:concertId/seat-plan',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'getSeatPlan',
        tags,
        summary: 'The seat plan of a concert',
        params: concertParams,
        response: { 200: answer(keptPlan, 'The plan as it was submitted, and its hash') },
        refusals: ['seat-plan-not-found'],
      },
    }),
    async (request) => {
      const kept = await ports.concerts.findSeatPlan(concertId(request.params.concertId));
      if (kept === undefined) throw new Refusal('seat-plan-not-found');
      return viewKeptPlan(kept);
    },
  );
}

function blockSeatsRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/concerts/:concertId/dates/:date/seats/block',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'blockSeats',
        tags,
        summary: 'Take free seats off sale',
        description: 'All of them or none. A held or sold seat refuses them all.',
        params: dateParams,
        body: blocking,
        response: { 204: noContent('Done') },
        refusals: ['seat-not-found', 'seat-taken'],
      },
    }),
    async (request, reply) => {
      await ports.boxOffice.block(seatsOf(request.params, request.body));
      logSeats(request, 'blocked seats');
      return reply.status(204).send();
    },
  );
}

function unblockSeatsRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/concerts/:concertId/dates/:date/seats/unblock',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'unblockSeats',
        tags,
        summary: 'Put blocked seats on sale again',
        description: 'Ignores seats that are not blocked.',
        params: dateParams,
        body: blocking,
        response: { 204: noContent('Done') },
        refusals: ['seat-not-found'],
      },
    }),
    async (request, reply) => {
      await ports.boxOffice.unblock(seatsOf(request.params, request.body));
      logSeats(request, 'unblocked seats');
      return reply.status(204).send();
    },
  );
}

type SeatParams = { readonly concertId: string; readonly date: string };
type SeatsBody = { readonly seatNumbers: readonly number[] };

function seatsOf({ concertId: id, date }: SeatParams, { seatNumbers }: SeatsBody) {
  return { concertId: concertId(id), date: concertDate(date), seatNumbers: seatOrder(seatNumbers) };
}

function logSeats(
  { log, adminKeyId, params, body }: Pick<FastifyRequest, 'log' | 'adminKeyId' | 'params' | 'body'>,
  message: string,
): void {
  log.info({ adminKeyId, ...(params as SeatParams), ...(body as SeatsBody) }, message);
}
