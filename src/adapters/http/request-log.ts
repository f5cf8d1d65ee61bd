import type { FastifyReply, FastifyRequest } from 'fastify';

/** One line per request, once it is answered: what, how long, how it ended. Never headers or a query: tokens travel there. */
export async function logAnswer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      userId: request.user ?? request.claim?.userId,
      adminKeyId: request.adminKeyId,
      address: request.ip,
    },
    'answered',
  );
}
