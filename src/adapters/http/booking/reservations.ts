import { markReplay, requestKeyOf, requireIdempotencyKey } from '#adapters/http/guards/idempotency.ts';
import { userOf } from '#adapters/http/guards/identity.ts';
import { claimOf } from '#adapters/http/guards/queue-pass.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { countedAs } from '#adapters/http/logging/request-log.ts';
import { answer, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { body, headers, params, query, reservation, reservationPage } from '#adapters/http/schemas.ts';
import { viewReservation } from '#adapters/http/views.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, reservationId } from '#domain/ids.ts';
import { releaseReservation } from '#use-cases/booking/release-reservation.ts';
import { reserveSeats } from '#use-cases/booking/reserve-seats.ts';

export function reservationRoutes(api: Api, { ports, identity, queuePass, limitCommands, localLimits }: Kit): void {
  api.post(
    '/reservations',
    {
      onRequest: [countedAs('wishes for seats'), queuePass.requireToken, requireIdempotencyKey],
      preHandler: queuePass.requireActiveOrRepeated,
      preValidation: [queuePass.askAhead, limitCommands],
      schema: {
        operationId: 'reserveSeats',
        tags: ['reservations'],
        summary: 'Hold seats: all of them, or none',
        description:
          'Name the seats, or ask for the best side by side with `quantity` and `adjacent`, which may be told a section or a price grade.',
        security: [{ queueToken: [] }],
        headers: headers.idempotencyKey,
        body: body.reservation,
        response: {
          201: answer(reservation, 'The seats are held for you', 'Idempotency-Replayed'),
          ...refusals(
            'concert-not-found',
            'date-not-found',
            'seat-not-found',
            'seat-taken',
            'no-adjacent-seats',
            'seat-stranded',
            'user-not-found',
            'seat-limit-reached',
            ...refusedBy.queue,
            ...refusedBy.command,
            ...refusedBy.idempotency,
          ),
        },
      },
    },
    async (request, reply) => {
      const entry = claimOf(request);
      const { date, seatNumbers, quantity = 0, section, grade } = request.body;
      const asked = seatNumbers === undefined ? { wish: { quantity, section, grade } } : { seatNumbers };
      const order = { entry, date: concertDate(date), request: requestKeyOf(request, entry.userId), ...asked };
      const held = await reserveSeats(ports, order);
      markReplay(reply, held);
      return reply.status(201).send(viewReservation(held.answer));
    },
  );

  api.get(
    '/reservations',
    {
      onRequest: [identity.requireUser, localLimits.reading],
      schema: {
        operationId: 'listReservations',
        tags: ['reservations'],
        summary: 'My reservations, newest first',
        security: [{ accessToken: [] }],
        querystring: query.page,
        response: {
          200: answer(reservationPage, 'A page of reservations', 'Link'),
          ...refusals(...refusedBy.identity, ...refusedBy.read),
        },
      },
    },
    async (request, reply) => {
      const page = await ports.boxOffice.listReservations(userOf(request), pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewReservation);
    },
  );

  api.get(
    '/reservations/:reservationId',
    {
      onRequest: [identity.requireUser, localLimits.reading],
      schema: {
        operationId: 'getReservation',
        tags: ['reservations'],
        summary: 'One of my reservations',
        security: [{ accessToken: [] }],
        params: params.reservation,
        response: {
          200: answer(reservation, 'The reservation'),
          ...refusals('reservation-not-found', ...refusedBy.identity, ...refusedBy.read),
        },
      },
    },
    async (request) => {
      const id = reservationId(request.params.reservationId);
      const found = await ports.boxOffice.findReservation(userOf(request), id);
      if (found === undefined) throw new Refusal('reservation-not-found');
      return viewReservation(found);
    },
  );

  api.delete(
    '/reservations/:reservationId',
    {
      onRequest: identity.requireUser,
      preValidation: limitCommands,
      schema: {
        operationId: 'releaseReservation',
        tags: ['reservations'],
        summary: 'Give held seats back',
        security: [{ accessToken: [] }],
        params: params.reservation,
        response: {
          204: noContent('The seats are free again'),
          ...refusals(
            'reservation-not-found',
            'already-paid',
            'hold-expired',
            ...refusedBy.identity,
            ...refusedBy.command,
          ),
        },
      },
    },
    async (request, reply) => {
      const id = reservationId(request.params.reservationId);
      await releaseReservation(ports, { userId: userOf(request), reservationId: id });
      return reply.status(204).send();
    },
  );
}
