import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, recordStream, refusals, refusedBy } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageRequest } from '#adapters/http/paging.ts';
import { preferred } from '#adapters/http/preferred.ts';
import { query } from '#adapters/http/schemas.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { SeatChange } from '#domain/records/records.ts';
import type { ExportFormat } from './exports.ts';
import { exportedCsv, exportedLines, exportQuery, recordParams, seatHistoryPage } from './record-schemas.ts';

const MEDIA: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** What operators read of the books. */
export function recordRoutes(api: Api, { records, exports, requireAdminKey }: Kit): void {
  const common = { tags: ['admin'], security: [{ adminKey: [] }] };

  api.get(
    '/admin/concerts/:concertId/dates/:date/seats/:seatNumber/history',
    {
      onRequest: requireAdminKey,
      schema: {
        ...common,
        operationId: 'listSeatHistory',
        summary: 'What has become of a seat, newest first',
        description: 'Written down with each change, by whatever command; nothing of it is ever changed or taken away.',
        params: recordParams.seat,
        querystring: query.page,
        response: {
          200: answer(seatHistoryPage, 'A page of changes', 'Link'),
          ...refusals('seat-not-found', ...refusedBy.adminKey),
        },
      },
    },
    async (request, reply) => {
      const { concertId: id, date, seatNumber } = request.params;
      const seat = { concertId: concertId(id), date: concertDate(date), seatNumber };
      const page = await records.listSeatHistory(seat, pageRequest(request.query, 'number'));
      return answerPage(request, reply, page, viewSeatChange);
    },
  );

  api.get(
    '/admin/exports/:kind',
    {
      onRequest: requireAdminKey,
      // It would read a page for nobody.
      exposeHeadRoute: false,
      schema: {
        ...common,
        operationId: 'exportRecords',
        summary: 'All records of a kind, as a stream',
        description:
          'As CSV or as a JSON object per line, in the order of their ids: what was recorded before the export began, once each. ' +
          'An answer that breaks off is not complete. Few at a time: then 503 `busy`.',
        params: recordParams.export,
        querystring: exportQuery,
        response: {
          200: recordStream({ 'text/csv': exportedCsv, 'application/x-ndjson': exportedLines }, 'The records'),
          ...refusals(...refusedBy.adminKey),
        },
      },
    },
    async (request, reply) => {
      const { kind } = request.params;
      const { format = accepted(request.headers.accept), concertId: id, from, until } = request.query;
      if (id !== undefined && kind === 'ledger-entries') throw notOfOneConcert();
      const stream = await exports.open(
        {
          kind,
          ...(id === undefined ? {} : { concertId: concertId(id) }),
          ...(from === undefined ? {} : { from: new Date(from) }),
          ...(until === undefined ? {} : { until: new Date(until) }),
        },
        format,
      );
      request.log.info({ adminKeyId: request.adminKeyId, kind, concertId: id, from, until }, 'exports records');
      reply.type(MEDIA[format]).header('content-disposition', `attachment; filename="${kind}.${format}"`);
      return reply.send(stream);
    },
  );
}

const viewSeatChange = ({ changedAt, ...change }: SeatChange) => ({ ...change, changedAt: changedAt.toISOString() });

function accepted(accept: string | undefined): ExportFormat {
  return preferred(accept, ['application/x-ndjson', 'text/csv']) === 'text/csv' ? 'csv' : 'ndjson';
}

function notOfOneConcert(): Refusal {
  return new Refusal('validation-failed', {
    errors: [{ path: 'querystring/concertId', message: 'cannot be given: a charge is of no concert' }],
  });
}
