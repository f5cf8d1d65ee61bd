import type { Api, Kit } from '#adapters/http/kit.ts';
import { countedAs } from '#adapters/http/logging/request-log.ts';
import { answer, noContent, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { concert, concertPage, dates, headers, params, query, seats } from '#adapters/http/schemas.ts';
import { sendJson } from '#adapters/http/send-json.ts';
import { viewConcert } from '#adapters/http/views.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import { listDates } from '#use-cases/catalog/list-dates.ts';
import { listSeats } from '#use-cases/catalog/list-seats.ts';
import { matches } from './etag.ts';
import { seatLists } from './seat-lists.ts';

/** Concerts change rarely and for everybody at once. */
const PUBLIC = 'public, max-age=1';

export function concertRoutes(api: Api, { ports, queuePass, localLimits }: Kit): void {
  const writtenOnce = seatLists();

  api.get(
    '/concerts',
    {
      onRequest: localLimits.reading,
      schema: {
        operationId: 'listConcerts',
        tags: ['concerts'],
        summary: 'Concerts with a date still to come',
        security: [],
        querystring: query.page,
        response: { 200: answer(concertPage, 'A page of concerts', 'Link'), ...refusals(...refusedBy.read) },
      },
    },
    async (request, reply) => {
      const page = await ports.concerts.list(pageRequest(request.query, 'uuid'));
      return reply.header('cache-control', PUBLIC).send(answerPage(request, reply, page, viewConcert));
    },
  );

  api.get(
    '/concerts/:concertId',
    {
      onRequest: localLimits.reading,
      schema: {
        operationId: 'getConcert',
        tags: ['concerts'],
        summary: 'One concert',
        security: [],
        params: params.concert,
        response: { 200: answer(concert, 'The concert'), ...refusals('concert-not-found', ...refusedBy.read) },
      },
    },
    async (request, reply) => {
      const found = await ports.concerts.find(concertId(request.params.concertId));
      if (found === undefined) throw new Refusal('concert-not-found');
      return reply.header('cache-control', PUBLIC).send(viewConcert(found));
    },
  );

  api.get(
    '/concerts/:concertId/dates',
    {
      onRequest: [queuePass.requireToken, localLimits.reading, queuePass.requireActiveToRead],
      schema: {
        operationId: 'listDates',
        tags: ['concerts'],
        summary: 'Dates that still have a seat',
        security: [{ queueToken: [] }],
        params: params.concert,
        querystring: query.dates,
        response: {
          200: answer(dates, 'The dates'),
          ...refusals('concert-not-found', ...refusedBy.queue, ...refusedBy.read),
        },
      },
    },
    async (request) => {
      const asked = { concertId: concertId(request.params.concertId), all: request.query.all };
      const listed = await listDates(ports, asked);
      return { items: listed.map((date) => ({ ...date, startsAt: date.startsAt.toISOString() })) };
    },
  );

  api.get(
    '/concerts/:concertId/dates/:date/seats',
    {
      onRequest: [
        countedAs('lists of seats'),
        queuePass.requireToken,
        localLimits.reading,
        queuePass.requireActiveToRead,
      ],
      schema: {
        operationId: 'listSeats',
        tags: ['concerts'],
        summary: 'The seats of a date',
        description:
          'Send `If-None-Match` with the `ETag` of the last answer to be told 304 while nothing has changed.',
        security: [{ queueToken: [] }],
        headers: headers.ifNoneMatch,
        params: params.date,
        querystring: query.seats,
        response: {
          200: answer(seats, 'The seats', 'ETag'),
          304: noContent('What If-None-Match names is still right', 'ETag'),
          ...refusals('concert-not-found', 'date-not-found', ...refusedBy.queue, ...refusedBy.read),
        },
      },
    },
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
