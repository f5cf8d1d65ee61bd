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
  /** How long what was relayed is kept, and its deliveries with it. */
  readonly eventRetentionSeconds: number;
};

/** Presence is in whole seconds: more often would say no more. */
const PRESENCE_TICK_MS = 1_000;
/** Nothing is to be found; but it looks at all that is pending. */
const WAKING_TICK_MS = 60_000;
/** Bounds one run of the tidying jobs. Whatever is left over comes with the next. */
const TIDY_BATCH_MAX = 500;

/** Called once when a job begins to fail, and once when it works again. */
export type JobReport = { failed(job: string, error: unknown): void; recovered(job: string): void };

/** The work that nobody asks for. Every instance does all of it. */
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
    start('presence', () => queue.writeLastSeen(), PRESENCE_TICK_MS),
    start('lots', () => drawLots(ports), settings.admissionTickMs),
    start('record', () => recordQueues(ports), settings.relayTickMs),
    start('relay', () => relayOutbox(ports), settings.relayTickMs),
    start('events', () => relayEvents(ports), settings.relayTickMs),
    start('webhooks', async () => endpoints.open(await deliveries.listDue()), settings.relayTickMs),
    start('waking', () => deliveries.wakeForgotten(), WAKING_TICK_MS),
    start('expiry', () => boxOffice.expireLapsed(TIDY_BATCH_MAX), settings.expiryTickMs),
    start('forgetting', () => boxOffice.forgetAnswers(TIDY_BATCH_MAX), settings.expiryTickMs),
    start('tidying', () => events.forget(settings.eventRetentionSeconds, TIDY_BATCH_MAX), settings.expiryTickMs),
  ];
  return {
    async stop() {
      await Promise.all([...jobs, endpoints].map((job) => job.stop()));
    },
  };
}
