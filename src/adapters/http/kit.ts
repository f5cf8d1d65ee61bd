import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Currency } from '#domain/wallet/money.ts';
import type { Ports } from '#ports/index.ts';
import type { Records } from '#ports/records/records.ts';
import type { AccessTokens } from './guards/access-token.ts';
import type { Guards } from './guards/all-guards.ts';
import type { JoinChallenges } from './guards/join-challenge.ts';
import type { QueueTokens } from './guards/queue-token.ts';
import type { Streams } from './queue/streams.ts';
import type { Readiness } from './readiness.ts';
import type { Exports } from './records/exports.ts';

/** Fastify with zod schemas. Routes are registered on it. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes work with. */
export type Kit = {
  readonly ports: Ports;
  /** For operators; no use case needs it. */
  readonly records: Records;
  readonly guards: Guards;
  readonly accessTokens: AccessTokens;
  readonly queueTokens: QueueTokens;
  /** Undefined while joining needs no solution. */
  readonly joinChallenges: JoinChallenges | undefined;
  readonly streams: Streams;
  readonly exports: Exports;
  readonly readiness: Readiness;
  readonly currency: Currency;
  /** Logs an answer whose end Fastify does not see. */
  readonly logAnswer: (request: FastifyRequest, reply: FastifyReply) => void;
};
