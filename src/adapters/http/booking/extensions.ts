import type { FastifyRequest } from 'fastify';
import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyOf, markReplay } from '#adapters/http/guards/idempotency.ts';
import { queueEntryOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { reservationId } from '#domain/ids.ts';
import { extendHold } from '#use-cases/booking/extend-hold.ts';
import { viewReservation } from './booking-views.ts';
import { reservation, reservationParams } from './reservation-schemas.ts';

/** Called once the path is validated. */
const reservationOf = ({ params }: FastifyRequest) =>
  reservationId((params as { reservationId: string }).reservationId);

export function extensionRoutes(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/reservations/:reservationId/extensions',
    guarded([guards.queueToken, guards.idempotencyKey, guards.session.forCommand(reservationOf)], {
      schema: {
        operationId: 'extendHold',
        tags: ['reservations'],
        summary: 'Extend my hold',
        description: 'To holdSeconds from now, at most to holdSecondsMax from the reservation. The price stays.',
        params: reservationParams,
        response: { 201: answer(reservation, 'The seats are held until heldUntil') },
        refusals: [
          'concert-not-found',
          'reservation-not-found',
          'hold-at-ceiling',
          'already-paid',
          'reservation-not-held',
          'hold-expired',
        ],
      },
    }),
    async (request, reply) => {
      const entry = queueEntryOf(request);
      const id = reservationId(request.params.reservationId);
      const extended = await extendHold(ports, {
        entry,
        reservationId: id,
        request: idempotencyKeyOf(request),
      });
      markReplay(reply, extended);
      return reply.status(201).send(viewReservation(extended.answer));
    },
  );
}
