import type { FastifyReply } from 'fastify';

/** Sends JSON that is written already, past the serializer of the route's schema. A test holds each writer against its schema. */
export function sendJson(reply: FastifyReply, json: string): void {
  reply.header('content-type', 'application/json; charset=utf-8').send(json);
}
