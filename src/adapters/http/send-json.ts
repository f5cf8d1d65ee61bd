import type { FastifyReply } from 'fastify';

/** Sends serialized JSON, past the serializer of the route's schema, which costs an eighth of a bare request. */
export function sendJson(reply: FastifyReply, json: string): void {
  reply.header('content-type', 'application/json; charset=utf-8').send(json);
}
