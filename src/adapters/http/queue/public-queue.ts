import { concertParams } from '#adapters/http/catalog/concert-schemas.ts';
import { viewLottery } from '#adapters/http/catalog/concert-views.ts';
import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import { sendJson } from '#adapters/http/send-json.ts';
import { ttlCache } from '#adapters/memory/ttl-cache.ts';
import { concertId } from '#domain/ids.ts';
import { type PublicQueue, showQueue } from '#use-cases/queue/show-queue.ts';
import { publicQueue } from './queue-schemas.ts';

/** What it is made of is as old. A crowd that reads the status costs the stores nothing. */
const STATUS_TTL_MS = 250;
/** Beyond this size, entries are evicted. */
const STATUSES_MAX = 1_000;

export function publicQueueRoutes(api: Api, { ports }: Kit): void {
  const write = async (id: string) => JSON.stringify(viewPublicQueue(await showQueue(ports, concertId(id))));
  const statuses = ttlCache<string>(write, { ttlMs: STATUS_TTL_MS, entriesMax: STATUSES_MAX });

  api.get(
    '/concerts/:concertId/queue/status',
    guarded([], {
      schema: {
        operationId: 'showQueue',
        tags: ['queue'],
        summary: 'The public state of a queue',
        description:
          'Public and cacheable. With its `sequence`, a client can estimate its position. It is no heartbeat: ' +
          '`GET /v1/queue` and streams are.',
        params: concertParams,
        response: { 200: answer(publicQueue, 'The queue') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request, reply) => {
      const text = await statuses(request.params.concertId);
      sendJson(reply.header('cache-control', 'public, max-age=1'), text);
      return reply;
    },
  );
}

const viewPublicQueue = ({ concert, state, figures, seatsLeft, tailEta }: PublicQueue) => ({
  concertId: concert.concertId,
  state,
  opensAt: concert.opensAt.toISOString(),
  opening: concert.policy.opening,
  waiting: figures.waiting,
  registered: figures.registered,
  active: figures.active,
  frontier: figures.head,
  drawn: figures.drawn,
  ratePerSecond: figures.turnover,
  ...(tailEta === undefined ? {} : { etaSeconds: tailEta.p50, etaP90Seconds: tailEta.p90 }),
  seatsAvailable: seatsLeft.available,
  seatsHeld: seatsLeft.held,
  soldOut: seatsLeft.available === 0,
  ...(figures.rebuildingMs === undefined ? {} : { rebuildingSeconds: Math.ceil(figures.rebuildingMs / 1_000) }),
  ...(concert.lottery === undefined ? {} : { lottery: viewLottery(concert.lottery) }),
});
