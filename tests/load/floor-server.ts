import Fastify from 'fastify';

// The floor: bare Fastify, no log, no headers, that answers the same JSON at the same addresses. What Frontrow's own
// answers were at the beginning comes in FLOOR_ANSWERS.

type Json = string | number | readonly Json[] | { readonly [name: string]: Json };

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

/** What Fastify needs to know to write a value quickly. */
function schemaOf(value: Json): object {
  if (typeof value !== 'object') return { type: typeof value };
  if (Array.isArray(value)) return { type: 'array', items: schemaOf(value[0]) };
  const properties = Object.entries(value).map(([name, part]) => [name, schemaOf(part)]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}
