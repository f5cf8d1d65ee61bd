import { guarded } from '#adapters/http/guards/guard.ts';
import { idempotencyKeyOf, markReplay } from '#adapters/http/guards/idempotency.ts';
import { userIdOf } from '#adapters/http/guards/request-data.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { Refusal } from '#domain/errors.ts';
import type { Charge, LedgerEntry } from '#domain/wallet/wallet.ts';
import { chargeBalance } from '#use-cases/wallet/charge-balance.ts';
import { registerUser } from '#use-cases/wallet/register-user.ts';
import { balance, charge, chargeBody, entryPage, user, userParams } from './user-schemas.ts';

export function userRoutes(api: Api, kit: Kit): void {
  createUserRoute(api, kit);
  getBalanceRoute(api, kit);
  chargeBalanceRoute(api, kit);
  listLedgerEntriesRoute(api, kit);
}

function createUserRoute(api: Api, { guards, ports, accessTokens, currency }: Kit): void {
  api.post(
    '/users',
    guarded([guards.commandLimit], {
      schema: {
        operationId: 'createUser',
        tags: ['users'],
        summary: 'Create a user with an empty balance',
        response: { 201: answer(user, 'The user and an access token') },
      },
    }),
    async (_request, reply) => {
      const userId = await registerUser(ports, { currency });
      const { accessToken, expiresAt } = accessTokens.issue(userId);
      return reply.status(201).send({ userId, accessToken, expiresAt: expiresAt.toISOString() });
    },
  );
}

function getBalanceRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/users/:userId/balance',
    guarded([guards.accessToken, guards.self, guards.readLimit], {
      schema: {
        operationId: 'getBalance',
        tags: ['users'],
        summary: 'My balance',
        params: userParams,
        response: { 200: answer(balance, 'The balance') },
        refusals: ['user-not-found'],
      },
    }),
    async (request) => {
      const found = await ports.wallets.find(userIdOf(request));
      if (found === undefined) throw new Refusal('user-not-found');
      return found;
    },
  );
}

function chargeBalanceRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/users/:userId/balance/charges',
    guarded([guards.accessToken, guards.self, guards.idempotencyKey, guards.commandLimit], {
      schema: {
        operationId: 'chargeBalance',
        tags: ['users'],
        summary: 'Charge my balance',
        params: userParams,
        body: chargeBody,
        response: { 201: answer(charge, 'The balance is charged') },
        refusals: ['amount-out-of-range', 'user-not-found'],
      },
    }),
    async (request, reply) => {
      const order = { amount: request.body.amount, request: idempotencyKeyOf(request) };
      const charged = await chargeBalance(ports, order);
      markReplay(reply, charged);
      return reply.status(201).send(viewCharge(charged.answer));
    },
  );
}

function listLedgerEntriesRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/users/:userId/balance/entries',
    guarded([guards.accessToken, guards.self, guards.readLimit], {
      schema: {
        operationId: 'listLedgerEntries',
        tags: ['users'],
        summary: 'The ledger of my balance, newest first',
        params: userParams,
        querystring: pageQuery,
        response: { 200: answer(entryPage, 'A page of the ledger', 'Link') },
      },
    }),
    async (request, reply) => {
      const page = await ports.wallets.listEntries(userIdOf(request), pageRequest(request.query, 'number'));
      return answerPage(request, reply, page, viewEntry);
    },
  );
}

const viewCharge = (charge: Charge) => ({ ...charge, chargedAt: charge.chargedAt.toISOString() });
const viewEntry = (entry: LedgerEntry) => ({ ...entry, recordedAt: entry.recordedAt.toISOString() });
