import type { FastifyRequest } from 'fastify';
import { Refusal } from '#domain/errors.ts';
import type { Ports } from '#ports/index.ts';
import type { CheckJoin } from '#ports/queue/join-check.ts';
import type { Guard } from './guard.ts';
import { joiningOf, passIfJoined } from './pass-if-joined.ts';

/** What a join gets while the check fails: open, it passes; closed, it is refused. */
export type JoinCheckFailure = 'open' | 'closed';

/** Spreads the next attempts of a crowd over this time. */
const RETRY_AFTER_SECONDS_MAX = 10;

/** Asks the operator's own check. A user who has an entry passes in any case. Without `check` all do. */
export function joinCheckGuard(
  ports: Pick<Ports, 'concerts' | 'queue' | 'random'>,
  check: CheckJoin | undefined,
  onFailure: JoinCheckFailure,
) {
  async function ask(request: FastifyRequest, checkJoin: CheckJoin): Promise<void> {
    const { ip: clientAddress, headers } = request;
    const outcome = await checkJoin({ ...joiningOf(request), clientAddress, userAgent: headers['user-agent'] });
    if (outcome === 'allowed' || (outcome === 'failed' && onFailure === 'open')) return;
    const retryAfterSeconds = 1 + Math.floor(ports.random() * RETRY_AFTER_SECONDS_MAX);
    const refusal =
      outcome === 'refused' ? new Refusal('join-refused') : new Refusal('unavailable', { retryAfterSeconds });
    return passIfJoined(ports, request, refusal);
  }

  return {
    preHandler: (request) => (check === undefined ? undefined : ask(request, check)),
    refusals: ['join-refused'],
  } as const satisfies Guard;
}
