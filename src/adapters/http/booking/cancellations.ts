import { markReplay, requestKeyOf, requireIdempotencyKey } from '#adapters/http/guards/idempotency.ts';
import { userOf } from '#adapters/http/guards/identity.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { cancellation, headers, params } from '#adapters/http/schemas.ts';
import { viewCancellation } from '#adapters/http/views.ts';
import { reservationId } from '#domain/ids.ts';
import { cancelReservation } from '#use-cases/booking/cancel-reservation.ts';

export function cancellationRoutes(api: Api, { ports, identity, limitCommands }: Kit): void {
  api.post(
    '/reservations/:reservationId/cancellation',
    {
      onRequest: [identity.requireUser, requireIdempotencyKey],
      preValidation: limitCommands,
      schema: {
        operationId: 'cancelReservation',
        tags: ['reservations'],
        summary: 'Give seats back, held or paid',
        description:
          'The seats are free again at once. What was paid for them goes back to my balance, until refundUntilSeconds before the date starts.',
        security: [{ accessToken: [] }],
        headers: headers.idempotencyKey,
        params: params.reservation,
        response: {
          201: answer(cancellation, 'The reservation is cancelled', 'Idempotency-Replayed'),
          ...refusals(
            'refund-closed',
            'reservation-not-found',
            'concert-not-found',
            'already-cancelled',
            'hold-expired',
            ...refusedBy.identity,
            ...refusedBy.command,
            ...refusedBy.idempotency,
          ),
        },
      },
    },
    async (request, reply) => {
      const id = reservationId(request.params.reservationId);
      const order = { reservationId: id, request: requestKeyOf(request, userOf(request)) };
      const cancelled = await cancelReservation(ports, order);
      markReplay(reply, cancelled);
      return reply.status(201).send(viewCancellation(cancelled.answer));
    },
  );
}
