import type { FastifyRequest } from 'fastify';
import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyOf, markReplay } from '#adapters/http/guards/idempotency.ts';
import { queueEntryOf, userIdOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { Refusal } from '#domain/errors.ts';
import { paymentId, reservationId } from '#domain/ids.ts';
import { pay } from '#use-cases/booking/pay.ts';
import { viewPayment } from './booking-views.ts';
import { payment, paymentBody, paymentPage, paymentParams } from './payment-schemas.ts';

export function paymentRoutes(api: Api, kit: Kit): void {
  payReservationRoute(api, kit);
  listPaymentsRoute(api, kit);
  getPaymentRoute(api, kit);
}

/** Called once the body is validated. */
const reservationOf = ({ body }: FastifyRequest) => reservationId((body as { reservationId: string }).reservationId);

function payReservationRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/payments',
    guarded([guards.queueToken, guards.idempotencyKey, guards.session.forCommand(reservationOf)], {
      schema: {
        operationId: 'payReservation',
        tags: ['payments'],
        summary: 'Pay a reservation from my balance',
        description: 'The seats are yours, and the queue token expires.',
        body: paymentBody,
        response: { 201: answer(payment, 'The seats are yours') },
        refusals: [
          'insufficient-balance',
          'reservation-not-found',
          'already-paid',
          'reservation-not-held',
          'hold-expired',
        ],
      },
    }),
    async (request, reply) => {
      const entry = queueEntryOf(request);
      const id = reservationId(request.body.reservationId);
      const paid = await pay(ports, { entry, reservationId: id, request: idempotencyKeyOf(request) });
      markReplay(reply, paid);
      return reply.status(201).send(viewPayment(paid.answer));
    },
  );
}

function listPaymentsRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/payments',
    guarded([guards.accessToken, guards.readLimit], {
      schema: {
        operationId: 'listPayments',
        tags: ['payments'],
        summary: 'My payments, newest first',
        querystring: pageQuery,
        response: { 200: answer(paymentPage, 'A page of payments', 'Link') },
      },
    }),
    async (request, reply) => {
      const page = await ports.boxOffice.listPayments(userIdOf(request), pageRequest(request.query, 'uuid'));
      return answerPage(request, reply, page, viewPayment);
    },
  );
}

function getPaymentRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/payments/:paymentId',
    guarded([guards.accessToken, guards.readLimit], {
      schema: {
        operationId: 'getPayment',
        tags: ['payments'],
        summary: 'One of my payments',
        params: paymentParams,
        response: { 200: answer(payment, 'The payment') },
        refusals: ['payment-not-found'],
      },
    }),
    async (request) => {
      const found = await ports.boxOffice.findPayment(userIdOf(request), paymentId(request.params.paymentId));
      if (found === undefined) throw new Refusal('payment-not-found');
      return viewPayment(found);
    },
  );
}
