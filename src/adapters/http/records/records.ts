import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer, recordStream } from '#adapters/http/openapi/answers.ts';
import { answerPage, pageQuery, pageRequest } from '#adapters/http/paging.ts';
import { preferred } from '#adapters/http/preferred.ts';
import { Refusal } from '#domain/errors.ts';
import { concertDate, concertId } from '#domain/ids.ts';
import type { SeatChange } from '#domain/records/records.ts';
import type { ExportFormat } from './exports.ts';
import { exportedCsv, exportedLines, exportQuery, recordParams, seatHistoryPage } from './record-schemas.ts';

const MEDIA: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const tags = ['admin'];

/** How operators read the records. */
export function recordRoutes(api: Api, kit: Kit): void {
  listSeatHistoryRoute(api, kit);
  exportRecordsRoute(api, kit);
}

const viewSeatChange = ({ changedAt, ...change }: SeatChange) => ({ ...change, changedAt: changedAt.toISOString() });

function accepted(accept: string | undefined): ExportFormat {
  return preferred(accept, ['application/x-ndjson', 'text/csv']) === 'text/csv' ? 'csv' : 'ndjson';
}

function notOfOneConcert(): Refusal {
  return new Refusal('validation-failed', {
    errors: [{ path: 'querystring/concertId', message: 'cannot be used here: a charge belongs to no concert' }],
  });
}

function listSeatHistoryRoute(api: Api, { guards, records }: Kit): void {
  api.get(
    '/admin/concerts/:concertId/dates/:date/seats/:seatNumber/history',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'listSeatHistory',
        tags,
        summary: 'The history of a seat, newest first',
        description: 'Recorded with each change, whatever the command. Records are never changed or deleted.',
        params: recordParams.seat,
        querystring: pageQuery,
        response: { 200: answer(seatHistoryPage, 'A page of changes', 'Link') },
        refusals: ['seat-not-found'],
      },
    }),
    async (request, reply) => {
      const { concertId: id, date, seatNumber } = request.params;
      const seat = { concertId: concertId(id), date: concertDate(date), seatNumber };
      const page = await records.listSeatHistory(seat, pageRequest(request.query, 'number'));
      return answerPage(request, reply, page, viewSeatChange);
    },
  );
}

function exportRecordsRoute(api: Api, { guards, exports }: Kit): void {
  api.get(
    '/admin/exports/:kind',
    guarded([guards.adminKey], {
      // A HEAD request would read a page in vain.
      exposeHeadRoute: false,
      schema: {
        operationId: 'exportRecords',
        tags,
        summary: 'All records of a kind, as a stream',
        description:
          'As CSV or as one JSON object per line, in the order of their ids, each record once, up to the start of the export. ' +
          'An answer that breaks off is incomplete. Beyond a few exports at once, 503 `busy`.',
        params: recordParams.export,
        querystring: exportQuery,
        response: {
          200: recordStream({ 'text/csv': exportedCsv, 'application/x-ndjson': exportedLines }, 'The records'),
        },
      },
    }),
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
