import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyOf, markReplay } from '#adapters/http/guards/idempotency.ts';
import { queueEntryOf, userIdOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';
import { viewReservation } from './booking-views.ts';
import { reservation, reservationBody, reservationPage, reservationParams } from './reservation-schemas.ts';

export function reservationRoutes(api: Api, kit: Kit): void {
  reserveSeatsRoute(api, kit);
  listReservationsRoute(api, kit);
  getReservationRoute(api, kit);
  releaseReservationRoute(api, kit);
}

function reserveSeatsRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/reservations',
    guarded([guards.queueToken, guards.idempotencyKey, guards.session.forCommand()], {
      config: { summarizedAs: 'reservations' },
      schema: {
        operationId: 'reserveSeats',
        tags: ['reservations'],
        summary: 'Hold seats, all of them or none',
        description:
          'Name the seats, or ask for the best adjacent ones with `quantity` and `adjacent`, in a section or at a price grade if you like.',
        body: reservationBody,
        response: { 201: answer(reservation, 'The seats are held for you') },
        refusals: [
          'concert-not-found',
          'date-not-found',
          'seat-not-found',
          'seat-taken',
          'no-adjacent-seats',
          'seat-stranded',
          'user-not-found',
          'seat-limit-reached',
          'hold-limit-reached',
        ],
      },
    }),
    async (request, reply) => {
      const entry = queueEntryOf(request);
      const { date, seatNumbers, quantity = 0, section, grade } = request.body;
      const asked = seatNumbers === undefined ? { wish: { quantity, section, grade } } : { seatNumbers };
      const order = { entry, date: concertDate(date), request: idempotencyKeyOf(request), ...asked };
      const held = await reserveSeats(ports, order);
      markReplay(reply, held);
      return reply.status(201).send(viewReservation(held.answer));
    },
  );
}

function listReservationsRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/reservations',
    guarded([guards.accessToken, guards.readLimit], {
      schema: {
        operationId: 'listReservations',
        tags: ['reservations'],
        summary: 'My reservations, newest first',
        querystring: pageQuery,
        response: { 200: answer(reservationPage, 'A page of reservations', 'Link') },
      },
    }),
    async (request, reply) => {
      const page = await ports.boxOffice.listReservations(userIdOf(request), pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewReservation);
    },
  );
}

function getReservationRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/reservations/:reservationId',
    guarded([guards.accessToken, guards.readLimit], {
      schema: {
        operationId: 'getReservation',
        tags: ['reservations'],
        summary: 'One of my reservations',
        params: reservationParams,
        response: { 200: answer(reservation, 'The reservation') },
        refusals: ['reservation-not-found'],
      },
    }),
    async (request) => {
      const id = reservationId(request.params.reservationId);
      const found = await ports.boxOffice.findReservation(userIdOf(request), id);
      if (found === undefined) throw new Refusal('reservation-not-found');
      return viewReservation(found);
    },
  );
}

function releaseReservationRoute(api: Api, { guards, ports }: Kit): void {
  api.delete(
    '/reservations/:reservationId',
    guarded([guards.accessToken, guards.commandLimit], {
      schema: {
        operationId: 'releaseReservation',
        tags: ['reservations'],
        summary: 'Release held seats',
        params: reservationParams,
        response: { 204: noContent('The seats are free again') },
        refusals: ['reservation-not-found', 'already-paid', 'hold-expired'],
      },
    }),
    async (request, reply) => {
      const id = reservationId(request.params.reservationId);
      await releaseReservation(ports, { userId: userIdOf(request), reservationId: id });
      return reply.status(204).send();
    },
  );
}
