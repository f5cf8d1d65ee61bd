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
import type { Hook } from './guards/hook.ts';
import type { Identity } from './guards/identity.ts';
import type { LocalLimits } from './guards/local-limit.ts';
import type { QueuePass } from './guards/queue-pass.ts';
import type { QueueTokens } from './guards/queue-token.ts';
import type { Streams } from './queue/streams.ts';
import type { Readiness } from './readiness.ts';
import type { Exports } from './records/exports.ts';

/** What routes are registered on: Fastify, its schemas being zod's. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes work with, handed to each by the server. */
export type Kit = {
  readonly ports: Ports;
  /** What operators read; no use case needs it. */
  readonly records: Records;
  readonly exports: Exports;
  readonly identity: Identity;
  readonly queueTokens: QueueTokens;
  readonly queuePass: QueuePass;
  readonly readiness: Readiness;
  readonly streams: Streams;
  /** Says that a request is answered, of those that the framework does not see end. */
  readonly tellAnswer: (request: FastifyRequest, reply: FastifyReply) => void;
  readonly currency: Currency;
  /** A hook: lets only requests with an admin key pass. */
  readonly requireAdminKey: (request: FastifyRequest) => Promise<void>;
  /** A hook of commands, before they are validated: they count against the client's rate limit, at all instances together. */
  readonly limitCommands: Hook;
  readonly localLimits: LocalLimits;
};
