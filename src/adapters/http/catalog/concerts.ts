import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, noContent } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { sendJson } from '#adapters/http/send-json.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { listDates } from '#use-cases/catalog/list-dates.ts';
import { listSeats } from '#use-cases/catalog/list-seats.ts';
import {
  concert,
  concertPage,
  concertParams,
  dateParams,
  dates,
  datesQuery,
  ifNoneMatch,
  seats,
  seatsQuery,
} from './concert-schemas.ts';
import { viewConcert } from './concert-views.ts';
import { matches } from './etag.ts';
import { seatLists } from './seat-lists.ts';

/** Concerts change rarely, and are the same for all clients. */
const PUBLIC = 'public, max-age=1';

export function concertRoutes(api: Api, kit: Kit): void {
  listConcertsRoute(api, kit);
  getConcertRoute(api, kit);
  listDatesRoute(api, kit);
  listSeatsRoute(api, kit);
}

function listConcertsRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/concerts',
    guarded([guards.readLimit], {
      schema: {
        operationId: 'listConcerts',
        tags: ['concerts'],
        summary: 'Concerts with an upcoming date',
        querystring: pageQuery,
        response: { 200: answer(concertPage, 'A page of concerts', 'Link') },
      },
    }),
    async (request, reply) => {
      const page = await ports.concerts.list(pageRequest(request.query, 'uuid'));
      return reply.header('cache-control', PUBLIC).send(answerPage(request, reply, page, viewConcert));
    },
  );
}

function getConcertRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/concerts/:concertId',
    guarded([guards.readLimit], {
      schema: {
        operationId: 'getConcert',
        tags: ['concerts'],
        summary: 'One concert',
        params: concertParams,
        response: { 200: answer(concert, 'The concert') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request, reply) => {
      const found = await ports.concerts.find(concertId(request.params.concertId));
      if (found === undefined) throw new Refusal('concert-not-found');
      return reply.header('cache-control', PUBLIC).send(viewConcert(found));
    },
  );
}

function listDatesRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/concerts/:concertId/dates',
    guarded([guards.queueToken, guards.readLimit, guards.session.toRead], {
      schema: {
        operationId: 'listDates',
        tags: ['concerts'],
        summary: 'Dates with a free seat',
        params: concertParams,
        querystring: datesQuery,
        response: { 200: answer(dates, 'The dates') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => {
      const asked = { concertId: concertId(request.params.concertId), all: request.query.all };
      const listed = await listDates(ports, asked);
      return { items: listed.map((date) => ({ ...date, startsAt: date.startsAt.toISOString() })) };
    },
  );
}

function listSeatsRoute(api: Api, { guards, ports }: Kit): void {
  const writtenOnce = seatLists();

  api.get(
    '/concerts/:concertId/dates/:date/seats',
    guarded([guards.queueToken, guards.readLimit, guards.session.toRead], {
      config: { summarizedAs: 'seat lists' },
      schema: {
        operationId: 'listSeats',
        tags: ['concerts'],
        summary: 'The seats of a date',
        description: 'Send the `ETag` of the last answer as `If-None-Match` to get 304 while nothing has changed.',
        headers: ifNoneMatch,
        params: dateParams,
        querystring: seatsQuery,
        response: {
          200: answer(seats, 'The seats', 'ETag'),
          304: noContent('Nothing has changed since the ETag in If-None-Match', 'ETag'),
        },
        refusals: ['concert-not-found', 'date-not-found'],
      },
    }),
    async (request, reply) => {
      const [id, date] = [concertId(request.params.concertId), concertDate(request.params.date)];
      const { available } = request.query;
      const listed = await listSeats(ports, { concertId: id, date, available });
      const { etag, json } = writtenOnce({ ...listed, date, available });
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (matches(request.headers['if-none-match'], etag)) return reply.status(304).send();
      sendJson(reply, json);
      return reply;
    },
  );
}
