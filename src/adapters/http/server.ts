import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Currency } from '#domain/wallet/money.ts';
import type { CountCommands } from '#ports/booking/command-counts.ts';
import type { Ports } from '#ports/index.ts';
import type { CheckJoin } from '#ports/queue/join-check.ts';
import type { Records } from '#ports/records/records.ts';
import { type AccessTokenSettings, accessTokens } from './guards/access-token.ts';
import type { AdminKey } from './guards/admin-key.ts';
import { allGuards } from './guards/all-guards.ts';
import { type JoinChallengeSettings, joinChallenges } from './guards/join-challenge.ts';
import type { JoinCheckFailure } from './guards/join-check-guard.ts';
import { queueTokens, type SigningKey } from './guards/queue-token.ts';
import { decorateRequests } from './guards/request-data.ts';
import { healthRoutes } from './health.ts';
import type { Api, Kit } from './kit.ts';
import { lazyLog } from './logging/lazy-log.ts';
import { type RequestLog, requestLog } from './logging/request-log.ts';
import { registerOpenApi } from './openapi/openapi.ts';
import { answerProblem, answerRouteNotFound, answerUnreadable } from './problems.ts';
import { queueStatusStreams, type StreamSettings } from './queue/streams.ts';
import { type Probes, readinessOf } from './readiness.ts';
import { type ExportSettings, recordExports } from './records/exports.ts';
import { v1Routes } from './routes.ts';
import { silentConnections } from './silent-connections.ts';

export type ServerSettings = {
  readonly bodyLimitBytes: number;
  /** Commands per client and minute; 0 switches the limit off. */
  readonly rateLimitPerMinute: number;
  /** Polls per client, minute and instance, and as many other reads; 0 switches the limit off. */
  readonly pollLimitPerMinute: number;
  /** The log has a line for one in this many polls, joins and seat lists. */
  readonly logSample: number;
  readonly corsOrigins: readonly string[];
  /** Trusts X-Forwarded-For from no proxy, from this many proxies, or from these addresses. */
  readonly trustProxy: false | number | readonly string[];
  readonly currency: Currency;
  readonly identity: AccessTokenSettings;
  readonly queueTokenKeys: readonly [SigningKey, ...SigningKey[]];
  readonly adminKeys: readonly AdminKey[];
  /** Undefined: joining needs no solution of a challenge. */
  readonly joinChallenge: JoinChallengeSettings | undefined;
  readonly joinCheckFailure: JoinCheckFailure;
  readonly streams: StreamSettings;
  readonly exports: ExportSettings;
};

export type ServerParts = {
  readonly ports: Ports;
  readonly records: Records;
  readonly settings: ServerSettings;
  readonly log: FastifyBaseLogger;
  readonly probes: Probes;
  /** Whether the process is shutting down. */
  readonly stopping: () => boolean;
  readonly countCommands: CountCommands;
  /** Undefined: no check of the operator's own. */
  readonly checkJoin: CheckJoin | undefined;
};

/** A client may take this long to send a request. */
const REQUEST_TIMEOUT_MS = 10_000;
/**
 * A connection stays open for this long after the time that `Keep-Alive` tells: a slow client that sends its next request at
 * the last moment gets an answer and not a reset.
 */
const KEEP_ALIVE_BUFFER_MS = 30_000;
const REQUEST_ID = /^[\w.-]{1,64}$/;
/** Browsers cache the answer to a preflight; without it each poll of another origin would be two requests. */
const PREFLIGHT_SECONDS = 7_200;
const EXPOSED_HEADERS = [
  'etag',
  'idempotency-replayed',
  'link',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
];

/** The HTTP server, ready to listen. The caller closes it. */
export async function createServer(parts: ServerParts): Promise<Api> {
  const { log, settings, stopping } = parts;
  const answers = requestLog(log, settings.logSample);
  const api = newFastify(parts, answers);
  api.server.keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS;
  api.setErrorHandler(answerProblem);
  api.setNotFoundHandler(answerRouteNotFound);
  decorateRequests(api);
  // From here on, hooks stand in the order in which they run.
  setHeadersOfEveryAnswer(api);
  await allowOrigins(api, settings.corsOrigins);
  // Here run the guards of a route before the body is read: `onRequest` in its list (`guards/guard.ts`).
  parseJsonBodies(api);
  // Here run the guards before and after validation, `preValidation` and `preHandler`, and then the handler.
  closeConnectionsWhen(stopping, api);
  api.addHook('onResponse', (request, reply, done) => {
    answers.tell(request, reply);
    done();
  });
  await registerOpenApi(api);
  const kit = kitFor(parts, answers);
  closeWithServer(api, kit, answers);
  await api.register(async (root) => healthRoutes(root.withTypeProvider<ZodTypeProvider>(), kit));
  await api.register(async (v1) => v1Routes(v1.withTypeProvider<ZodTypeProvider>(), kit), { prefix: '/v1' });
  await api.ready();
  return api;
}

function newFastify({ settings, log }: ServerParts, { tell }: RequestLog): Api {
  return Fastify({
    loggerInstance: lazyLog(log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: settings.bodyLimitBytes,
    trustProxy: trusted(settings.trustProxy),
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // Idle keep-alive connections would delay a shutdown until their clients close them.
    forceCloseConnections: 'idle',
    // A request on a keep-alive connection during a shutdown is still answered, as the last one on it.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A URL that cannot be parsed matches no route, so no hook runs.
    frameworkErrors: (error, request, reply) => {
      answerProblem(error, request, reply);
      tell(request, reply);
    },
    clientErrorHandler: answerUnreadable,
  })
    .setValidatorCompiler(validatorCompiler)
    .setSerializerCompiler(serializerCompiler)
    .withTypeProvider<ZodTypeProvider>();
}

function trusted(
  proxies: ServerSettings['trustProxy'],
): false | string[] | ((address: string, hop: number) => boolean) {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  return proxies === false ? false : [...proxies];
}

/**
 * The headers that protect pages are set for pages (`openapi.ts`). A browser must not guess the type of an answer, and an
 * answer is private unless its route says otherwise.
 */
function setHeadersOfEveryAnswer(api: Api): void {
  api.addHook('onRequest', (request, reply, done) => {
    reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store');
    done();
  });
}

async function allowOrigins(api: Api, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await api.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}

/** JSON is the only media type. An empty body is allowed, because many clients announce JSON and send nothing. */
function parseJsonBodies(api: Api): void {
  api.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = api.getDefaultJsonParser('error', 'error');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, String(body), done);
  });
}

/** The answer to a request in flight at shutdown is the last one on its connection. */
function closeConnectionsWhen(stopping: () => boolean, api: Api): void {
  api.addHook('onSend', (_request, reply, _body, done) => {
    if (stopping()) reply.header('connection', 'close');
    done();
  });
}

function kitFor(
  { ports, records, settings, log, probes, stopping, countCommands, checkJoin }: ServerParts,
  answers: RequestLog,
): Kit {
  const { identity, joinChallenge } = settings;
  const signed = {
    accessTokens: accessTokens(identity),
    queueTokens: queueTokens(settings.queueTokenKeys),
    joinChallenges: joinChallenge && joinChallenges(identity.secret, joinChallenge),
  };
  return {
    ports,
    records,
    guards: allGuards({ ...settings, ...signed, ports, countCommands, checkJoin }),
    ...signed,
    streams: queueStatusStreams(ports, settings.streams, (err) => log.error({ err }, 'queue status stream failed')),
    exports: recordExports(records, settings.exports),
    readiness: readinessOf(probes, stopping),
    currency: settings.currency,
    logAnswer: answers.tell,
  };
}

function closeWithServer(api: Api, { streams, exports }: Kit, answers: RequestLog): void {
  const hangUpSilent = silentConnections(api.server);
  // Streams, exports and silent connections would not end by themselves, or not soon.
  api.addHook('preClose', async () => {
    streams.close();
    exports.close();
    hangUpSilent();
  });
  api.addHook('onClose', async () => answers.stop());
}
