import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Currency } from '#domain/wallet/money.ts';
import type { CountCommands } from '#ports/booking/command-counts.ts';
import type { Ports } from '#ports/index.ts';
import type { Records } from '#ports/records/records.ts';
import { cancellationRoutes } from './booking/cancellations.ts';
import { extensionRoutes } from './booking/extensions.ts';
import { paymentRoutes } from './booking/payments.ts';
import { reservationRoutes } from './booking/reservations.ts';
import { adminRoutes } from './catalog/admin.ts';
import { concertRoutes } from './catalog/concerts.ts';
import { deliveryRoutes } from './events/deliveries.ts';
import { webhookRoutes } from './events/webhooks.ts';
import type { AccessTokenSettings } from './guards/access-token.ts';
import { type AdminKey, requireAdminKey } from './guards/admin-key.ts';
import { commandLimit } from './guards/command-limit.ts';
import { builtInIdentity } from './guards/identity.ts';
import { localLimits } from './guards/local-limit.ts';
import { queuePass } from './guards/queue-pass.ts';
import { queueTokens, type SigningKey } from './guards/queue-token.ts';
import { healthRoutes } from './health.ts';
import type { Api, Kit } from './kit.ts';
import { lazyLog } from './logging/lazy-log.ts';
import { requestLog } from './logging/request-log.ts';
import { registerOpenApi } from './openapi/openapi.ts';
import { answerProblem, answerRouteNotFound, answerUnreadable } from './problems.ts';
import { queueRoutes } from './queue/queue.ts';
import { queueEventRoutes } from './queue/queue-events.ts';
import { queueStatusRoutes } from './queue/queue-status.ts';
import { type StreamSettings, standingStreams } from './queue/streams.ts';
import { type Probes, readinessOf } from './readiness.ts';
import { type ExportSettings, recordExports } from './records/exports.ts';
import { recordRoutes } from './records/records.ts';
import { silentConnections } from './silent-connections.ts';
import { userRoutes } from './wallet/users.ts';

export type ServerSettings = {
  readonly bodyLimitBytes: number;
  /** Commands per client and minute; 0 switches the limit off. */
  readonly rateLimitPerMinute: number;
  /** Polls and, apart from them, other reads per client, minute and instance; 0 switches the limit off. */
  readonly pollLimitPerMinute: number;
  /** One in so many polls, joins and lists of seats has a line in the log. */
  readonly logSample: number;
  readonly corsOrigins: readonly string[];
  /** Whose X-Forwarded-For to believe: nobody's, that of so many proxies, or that of these addresses. */
  readonly trustProxy: false | number | readonly string[];
  readonly currency: Currency;
  readonly identity: AccessTokenSettings;
  readonly queueTokenKeys: readonly [SigningKey, ...SigningKey[]];
  readonly adminKeys: readonly AdminKey[];
  readonly streams: StreamSettings;
  readonly exports: ExportSettings;
};

export type ServerParts = {
  readonly ports: Ports;
  readonly records: Records;
  readonly settings: ServerSettings;
  readonly log: FastifyBaseLogger;
  readonly probes: Probes;
  /** Whether the process was told to stop. */
  readonly stopping: () => boolean;
  readonly countCommands: CountCommands;
};

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 10_000;
const REQUEST_ID = /^[\w.-]{1,64}$/;
/** Every poll of another origin would be two requests if its browser could not remember that it may. */
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

/** The HTTP side of Frontrow, ready to listen. Whoever calls it closes it. */
export async function createServer(parts: ServerParts): Promise<Api> {
  const { ports, records, settings, log, probes, stopping } = parts;
  const { tell, stop } = requestLog(log, settings.logSample);
  const api = Fastify({
    loggerInstance: lazyLog(log),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: settings.bodyLimitBytes,
    trustProxy: trusted(settings.trustProxy),
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // Kept-alive connections would hold up a shutdown until their clients let go.
    forceCloseConnections: 'idle',
    // A request that comes on a kept-alive connection during a shutdown is still answered, as the last one on it.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A URL that cannot be read finds no route, and with it no hooks.
    frameworkErrors: (error, request, reply) => {
      answerProblem(error, request, reply);
      tell(request, reply);
    },
    clientErrorHandler: answerUnreadable,
  })
    .setValidatorCompiler(validatorCompiler)
    .setSerializerCompiler(serializerCompiler)
    .withTypeProvider<ZodTypeProvider>();

  // JSON is all that any call takes; and many clients announce it where there is nothing to send.
  api.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = api.getDefaultJsonParser('error', 'error');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, String(body), done);
  });
  api.setErrorHandler(answerProblem);
  api.setNotFoundHandler(answerRouteNotFound);
  api.decorateRequest('user', undefined);
  api.decorateRequest('claim', undefined);
  api.decorateRequest('place', undefined);
  api.decorateRequest('adminKeyId', undefined);
  api.decorateRequest('countedAs', undefined);
  // JSON is never rendered, so the headers that keep pages safe are for pages (`openapi.ts`). But a browser must not guess.
  // And what is said about a user, or to an operator, is for them alone: whatever may be kept says so itself.
  api.addHook('onRequest', (request, reply, done) => {
    reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store');
    done();
  });
  // A request that was under way when we were told to stop is the last one on its connection, which would else be kept alive.
  api.addHook('onSend', (_request, reply, _body, done) => {
    if (stopping()) reply.header('connection', 'close');
    done();
  });
  api.addHook('onResponse', (request, reply, done) => {
    tell(request, reply);
    done();
  });
  api.addHook('onClose', (_api, done) => {
    stop();
    done();
  });

  if (settings.corsOrigins.length > 0) {
    await api.register(cors, {
      origin: [...settings.corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  await registerOpenApi(api);

  const identity = builtInIdentity(settings.identity);
  const tokens = queueTokens(settings.queueTokenKeys);
  const streams = standingStreams(ports, settings.streams, (err) => log.error({ err }, 'a stream could not be served'));
  const exports = recordExports(records, settings.exports);
  const hangUpSilent = silentConnections(api.server);
  // They would not end by themselves, or not soon.
  api.addHook('preClose', async () => {
    streams.close();
    exports.close();
    hangUpSilent();
  });
  const kit: Kit = {
    ports,
    records,
    exports,
    identity,
    queueTokens: tokens,
    queuePass: queuePass(tokens, ports, identity),
    readiness: readinessOf(probes, stopping),
    streams,
    tellAnswer: tell,
    currency: settings.currency,
    requireAdminKey: requireAdminKey(settings.adminKeys),
    limitCommands: commandLimit(settings.rateLimitPerMinute, parts.countCommands),
    localLimits: localLimits(settings),
  };

  await api.register(async (root) => healthRoutes(root.withTypeProvider<ZodTypeProvider>(), kit));
  await api.register(
    async (scope) => {
      const v1 = scope.withTypeProvider<ZodTypeProvider>();
      queueRoutes(v1, kit);
      queueEventRoutes(v1, kit);
      queueStatusRoutes(v1, kit);
      concertRoutes(v1, kit);
      reservationRoutes(v1, kit);
      extensionRoutes(v1, kit);
      cancellationRoutes(v1, kit);
      paymentRoutes(v1, kit);
      userRoutes(v1, kit);
      adminRoutes(v1, kit);
      recordRoutes(v1, kit);
      webhookRoutes(v1, kit);
      deliveryRoutes(v1, kit);
    },
    { prefix: '/v1' },
  );
  await api.ready();
  return api;
}

function trusted(
  proxies: ServerSettings['trustProxy'],
): false | string[] | ((address: string, hop: number) => boolean) {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  return proxies === false ? false : [...proxies];
}
