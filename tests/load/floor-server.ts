import Fastify from 'fastify';
import { type Json, schemaOf } from './schema-of.ts';

// The floor: bare Fastify, no log, no headers, that answers the same JSON at the same addresses. What Frontrow's own
// answers were at the beginning comes in FLOOR_ANSWERS.

const { poll, join, seats } = JSON.parse(process.env.FLOOR_ANSWERS ?? '') as Record<'poll' | 'join' | 'seats', Json>;
const params = {
  type: 'object',
  properties: { concertId: { type: 'string', format: 'uuid' } },
  required: ['concertId'],
};

const floor = Fastify();
floor.get('/v1/queue', { schema: { response: { 200: schemaOf(poll) } } }, async () => poll);
floor.post(
  '/v1/concerts/:concertId/queue',
  { schema: { params, response: { 201: schemaOf(join) } } },
  async (_request, reply) => reply.status(201).send(join),
);
floor.get(
  '/v1/concerts/:concertId/dates/:date/seats',
  { schema: { response: { 200: schemaOf(seats) } } },
  async () => seats,
);
console.log(await floor.listen({ host: '127.0.0.1', port: 0 }));
