import type { EndpointId } from '#domain/ids.ts';
import type { Ports } from '#ports/index.ts';
import { relayOutbox } from '#use-cases/booking/relay-outbox.ts';
import { ENDPOINTS_MAX } from '#use-cases/events/create-webhook.ts';
import { deliverWebhooks } from '#use-cases/events/deliver-webhooks.ts';
import { relayEvents } from '#use-cases/events/relay-events.ts';
import { admitWaiting } from '#use-cases/queue/admit-waiting.ts';
import { drawLots } from '#use-cases/queue/draw-lots.ts';
import { recordQueues } from '#use-cases/queue/record-queues.ts';
import { lanes } from './lanes.ts';
import { type Job, repeat } from './repeat.ts';

export type JobSettings = {
  readonly admissionTickMs: number;
  readonly surveyTickMs: number;
  readonly expiryTickMs: number;
  readonly relayTickMs: number;
  /** Relayed events and their deliveries are kept this long. */
  readonly eventRetentionSeconds: number;
};

/** Last-seen times have a resolution of a second. */
const LAST_SEEN_TICK_MS = 1_000;
/** Delays a lottery's draw by this at most. A lottery is drawn once, and each look costs an idle instance a wake-up. */
const LOTS_TICK_MS = 500;
/** Bounds one run of the clean-up jobs. The next run takes the rest. */
const TIDY_BATCH_MAX = 500;

/** Called once when a job starts to fail, and once when it recovers. */
export type JobReport = { failed(job: string, error: unknown): void; recovered(job: string): void };

/** Starts the background jobs. Every instance runs all of them. */
export function startJobs(ports: Ports, settings: JobSettings, report: JobReport): Job {
  const { boxOffice, queue, events, deliveries } = ports;
  const start = (name: string, work: () => Promise<unknown>, everyMs: number) =>
    repeat(work, everyMs, {
      onFailure: (error) => report.failed(name, error),
      onRecovery: () => report.recovered(name),
    });
  const endpoints = lanes((endpointId: EndpointId) => deliverWebhooks(ports, endpointId), ENDPOINTS_MAX);

  const jobs = [
    start('admission', () => admitWaiting(ports), settings.admissionTickMs),
    start('survey', () => queue.refresh(), settings.surveyTickMs),
    start('last-seen', () => queue.writeLastSeen(), LAST_SEEN_TICK_MS),
    start('lots', () => drawLots(ports), LOTS_TICK_MS),
    start('record', () => recordQueues(ports), settings.relayTickMs),
    start('relay', () => relayOutbox(ports), settings.relayTickMs),
    start('events', () => relayEvents(ports), settings.relayTickMs),
    start('webhooks', async () => endpoints.open(await deliveries.listDue()), settings.relayTickMs),
    start('expiry', () => boxOffice.expireLapsed(TIDY_BATCH_MAX), settings.expiryTickMs),
    start('forgetting', () => boxOffice.forgetAnswers(TIDY_BATCH_MAX), settings.expiryTickMs),
    start('tidying', () => events.forget(settings.eventRetentionSeconds, TIDY_BATCH_MAX), settings.expiryTickMs),
  ];
  return {
    async stop() {
      await Promise.all([...jobs, endpoints].map((job) => job.stop()));
      // The heartbeats since the last run.
      await queue.writeLastSeen().catch((error: unknown) => report.failed('last-seen', error));
    },
  };
}
