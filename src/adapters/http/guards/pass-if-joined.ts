import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import { concertId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { joinQueue } from '#use-cases/queue/join-queue.ts';
import type { Joining } from './join-challenge.ts';
import { userIdOf } from './request-data.ts';

/** Who joins what, once the request is validated. */
export function joiningOf(request: FastifyRequest): Joining {
  const { concertId: named } = request.params as { concertId: string };
  return { concertId: concertId(named), userId: userIdOf(request) };
}

/**
 * Lets a user pass who has an entry already: joining again gives nothing new, and a client that lost the answer has to get
 * it. Throws the refusal for any other.
 */
export async function passIfJoined(
  ports: Pick<Ports, 'concerts' | 'queue' | 'random'>,
  request: FastifyRequest,
  refusal: Refusal,
): Promise<void> {
  try {
    await joinQueue(ports, { ...joiningOf(request), onlyAgain: true });
  } catch (error) {
    throw error instanceof Refusal && error.code === 'queue-full' ? refusal : error;
  }
}
