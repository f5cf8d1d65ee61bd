import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import Fastify from 'fastify';
import { Pool } from 'pg';
import { functions } from '#adapters/postgres/functions.ts';
import { PrismaClient } from '#adapters/postgres/generated/client.ts';
import { type Json, schemaOf } from '#tests/load/schema-of.ts';

// The floor: bare Fastify, no log, no headers, no checks. It refuses a seat with the words it is given, reads a balance with
// one call of Prisma, and charges one with the one statement that does it.

const { refusal, balance } = JSON.parse(process.env.FLOOR_ANSWERS ?? '') as Record<'refusal' | 'balance', Json>;
const POOL_MAX = 10;
const BALANCE_MAX = 1_000_000_000;

const pool = new Pool({ connectionString: process.env.FLOOR_DATABASE_URL, max: POOL_MAX });
const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
type Charged = { readonly reply: { readonly answer: Json } };

const floor = Fastify();
floor.post('/v1/reservations', { schema: { response: { 409: schemaOf(refusal) } } }, async (_request, reply) =>
  reply.status(409).send(refusal),
);
floor.get<{ Params: { userId: string } }>(
  '/v1/users/:userId/balance',
  { schema: { response: { 200: schemaOf(balance) } } },
  async ({ params: { userId } }) => {
    const found = await prisma.wallet.findUnique({ where: { userId } });
    return { userId, balance: Number(found?.balance), currency: found?.currency };
  },
);
const charge = { chargeId: '', userId: '', amount: 0, balance: 0, currency: '', chargedAt: '' };
floor.post<{ Params: { userId: string }; Body: { amount: number } }>(
  '/v1/users/:userId/balance/charges',
  { schema: { response: { 201: schemaOf(charge) } } },
  async ({ params: { userId }, body: { amount }, headers }, reply) => {
    const key = headers['idempotency-key'];
    const { name, text } = functions.chargeBalance;
    const values = [randomUUID(), userId, amount, BALANCE_MAX, key, key];
    const { rows } = await pool.query<Charged>({ name, text, values });
    return reply.status(201).send(rows[0]?.reply.answer);
  },
);
console.log(await floor.listen({ host: '127.0.0.1', port: 0 }));
