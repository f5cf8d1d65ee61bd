import { markReplay, requestKeyOf, requireIdempotencyKey } from '#adapters/http/guards/idempotency.ts';
import { userOf } from '#adapters/http/guards/identity.ts';
import { claimOf } from '#adapters/http/guards/queue-pass.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { body, headers, params, payment, paymentPage, query } from '#adapters/http/schemas.ts';
import { viewPayment } from '#adapters/http/views.ts';
import { Refusal } from '#domain/errors.ts';
import { paymentId, reservationId } from '#domain/ids.ts';
import { pay } from '#use-cases/booking/pay.ts';

export function paymentRoutes(api: Api, { ports, identity, queuePass, limitCommands, localLimits }: Kit): void {
  api.post(
    '/payments',
    {
      onRequest: [queuePass.requireToken, requireIdempotencyKey],
      preHandler: queuePass.requireActiveToPay,
      preValidation: [queuePass.askAhead, limitCommands],
      schema: {
        operationId: 'payReservation',
        tags: ['payments'],
        summary: 'Pay a reservation from my balance',
        description: 'The seats are yours; the queue token ends.',
        security: [{ queueToken: [] }],
        headers: headers.idempotencyKey,
        body: body.payment,
        response: {
          201: answer(payment, 'The seats are yours', 'Idempotency-Replayed'),
          ...refusals(
            'insufficient-balance',
            'reservation-not-found',
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
      const id = reservationId(request.body.reservationId);
      const paid = await pay(ports, { entry, reservationId: id, request: requestKeyOf(request, entry.userId) });
      markReplay(reply, paid);
      return reply.status(201).send(viewPayment(paid.answer));
    },
  );

  api.get(
    '/payments',
    {
      onRequest: [identity.requireUser, localLimits.reading],
      schema: {
        operationId: 'listPayments',
        tags: ['payments'],
        summary: 'My payments, newest first',
        security: [{ accessToken: [] }],
        querystring: query.page,
        response: {
          200: answer(paymentPage, 'A page of payments', 'Link'),
          ...refusals(...refusedBy.identity, ...refusedBy.read),
        },
      },
    },
    async (request, reply) => {
      const page = await ports.boxOffice.listPayments(userOf(request), pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewPayment);
    },
  );

  api.get(
    '/payments/:paymentId',
    {
      onRequest: [identity.requireUser, localLimits.reading],
      schema: {
        operationId: 'getPayment',
        tags: ['payments'],
        summary: 'One of my payments',
        security: [{ accessToken: [] }],
        params: params.payment,
        response: {
          200: answer(payment, 'The payment'),
          ...refusals('payment-not-found', ...refusedBy.identity, ...refusedBy.read),
        },
      },
    },
    async (request) => {
      const found = await ports.boxOffice.findPayment(userOf(request), paymentId(request.params.paymentId));
      if (found === undefined) throw new Refusal('payment-not-found');
      return viewPayment(found);
    },
  );
}
