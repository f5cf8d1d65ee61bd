import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyOf, markReplay } from '#adapters/http/guards/idempotency.ts';

import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { reservationId } from '#domain/ids.ts';
import { cancelReservation } from '#use-cases/booking/cancel-reservation.ts';
import { viewCancellation } from './booking-views.ts';
import { cancellation, reservationParams } from './reservation-schemas.ts';

export function cancellationRoutes(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/reservations/:reservationId/cancellation',
    guarded([guards.accessToken, guards.idempotencyKey, guards.commandLimit], {
      schema: {
        operationId: 'cancelReservation',
        tags: ['reservations'],
        summary: 'Cancel a reservation, held or paid',
        description:
          'The seats are free at once. A paid reservation is refunded to my balance, until refundUntilSeconds before the date starts.',
        params: reservationParams,
        response: { 201: answer(cancellation, 'The reservation is cancelled') },
        refusals: ['refund-closed', 'reservation-not-found', 'concert-not-found', 'already-cancelled', 'hold-expired'],
      },
    }),
    async (request, reply) => {
      const id = reservationId(request.params.reservationId);
      const order = { reservationId: id, request: idempotencyKeyOf(request) };
      const cancelled = await cancelReservation(ports, order);
      markReplay(reply, cancelled);
      return reply.status(201).send(viewCancellation(cancelled.answer));
    },
  );
}
