import { markReplay, requestKeyOf, requireIdempotencyKey } from '#adapters/http/guards/idempotency.ts';
import { requireSelf, userOf } from '#adapters/http/guards/identity.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { balance, body, charge, entryPage, headers, params, query, user } from '#adapters/http/schemas.ts';
import { viewCharge, viewEntry } from '#adapters/http/views.ts';
import { Refusal } from '#domain/errors.ts';
import { chargeBalance } from '#use-cases/wallet/charge-balance.ts';
import { registerUser } from '#use-cases/wallet/register-user.ts';

export function userRoutes(api: Api, { ports, identity, limitCommands, localLimits, currency }: Kit): void {
  api.post(
    '/users',
    {
      preValidation: limitCommands,
      schema: {
        operationId: 'createUser',
        tags: ['users'],
        summary: 'Become a user, with an empty balance',
        security: [],
        response: { 201: answer(user, 'Who you are from now on'), ...refusals(...refusedBy.command) },
      },
    },
    async (_request, reply) => {
      const userId = await registerUser(ports, { currency });
      const { accessToken, expiresAt } = identity.issue(userId);
      return reply.status(201).send({ userId, accessToken, expiresAt: expiresAt.toISOString() });
    },
  );

  const own = [identity.requireUser, requireSelf];

  api.get(
    '/users/:userId/balance',
    {
      onRequest: [...own, localLimits.reading],
      schema: {
        operationId: 'getBalance',
        tags: ['users'],
        summary: 'My balance',
        security: [{ accessToken: [] }],
        params: params.user,
        response: {
          200: answer(balance, 'The balance'),
          ...refusals('user-not-found', ...refusedBy.ownership, ...refusedBy.read),
        },
      },
    },
    async (request) => {
      const found = await ports.wallets.find(userOf(request));
      if (found === undefined) throw new Refusal('user-not-found');
      return found;
    },
  );

  api.post(
    '/users/:userId/balance/charges',
    {
      onRequest: [...own, requireIdempotencyKey],
      preValidation: limitCommands,
      schema: {
        operationId: 'chargeBalance',
        tags: ['users'],
        summary: 'Charge my balance',
        security: [{ accessToken: [] }],
        headers: headers.idempotencyKey,
        params: params.user,
        body: body.charge,
        response: {
          201: answer(charge, 'The balance is charged', 'Idempotency-Replayed'),
          ...refusals(
            'amount-out-of-range',
            'user-not-found',
            ...refusedBy.ownership,
            ...refusedBy.command,
            ...refusedBy.idempotency,
          ),
        },
      },
    },
    async (request, reply) => {
      const order = { amount: request.body.amount, request: requestKeyOf(request, userOf(request)) };
      const charged = await chargeBalance(ports, order);
      markReplay(reply, charged);
      return reply.status(201).send(viewCharge(charged.answer));
    },
  );

  api.get(
    '/users/:userId/balance/entries',
    {
      onRequest: [...own, localLimits.reading],
      schema: {
        operationId: 'listLedgerEntries',
        tags: ['users'],
        summary: 'The ledger of my balance, newest first',
        security: [{ accessToken: [] }],
        params: params.user,
        querystring: query.page,
        response: {
          200: answer(entryPage, 'A page of the ledger', 'Link'),
          ...refusals(...refusedBy.ownership, ...refusedBy.read),
        },
      },
    },
    async (request, reply) => {
      const page = await ports.wallets.listEntries(userOf(request), pageRequest(request.query, 'number'));
      return answerPage(request, reply, page, viewEntry);
    },
  );
}
