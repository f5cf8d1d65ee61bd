import { markReplay, requestKeyOf, requireIdempotencyKey } from '#adapters/http/guards/idempotency.ts';
import { claimOf } from '#adapters/http/guards/queue-pass.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { headers, params, reservation } from '#adapters/http/schemas.ts';
import { viewReservation } from '#adapters/http/views.ts';
import { reservationId } from '#domain/ids.ts';
import { extendHold } from '#use-cases/booking/extend-hold.ts';

export function extensionRoutes(api: Api, { ports, queuePass, limitCommands }: Kit): void {
  api.post(
    '/reservations/:reservationId/extensions',
    {
      onRequest: [queuePass.requireToken, requireIdempotencyKey],
      preHandler: queuePass.requireActiveOrHolding,
      preValidation: [queuePass.askAhead, limitCommands],
      schema: {
        operationId: 'extendHold',
        tags: ['reservations'],
        summary: 'Hold my seats for longer',
        description:
          'For holdSeconds from now, but no longer than holdSecondsMax from when they were reserved. The price stays.',
        security: [{ queueToken: [] }],
        headers: headers.idempotencyKey,
        params: params.reservation,
        response: {
          201: answer(reservation, 'The seats are held until heldUntil', 'Idempotency-Replayed'),
          ...refusals(
            'concert-not-found',
            'reservation-not-found',
            'hold-at-ceiling',
            'already-paid',
            'reservation-not-held',
            'hold-expired',
            ...refusedBy.queue,
            ...refusedBy.command,
            ...refusedBy.idempotency,
          ),
        },
      },
    },
    async (request, reply) => {
      const entry = claimOf(request);
      const id = reservationId(request.params.reservationId);
      const extended = await extendHold(ports, {
        entry,
        reservationId: id,
        request: requestKeyOf(request, entry.userId),
      });
      markReplay(reply, extended);
      return reply.status(201).send(viewReservation(extended.answer));
    },
  );
}
