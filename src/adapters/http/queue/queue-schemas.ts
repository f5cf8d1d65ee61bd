import { z } from 'zod';
import { paused } from '#adapters/http/catalog/policy-schemas.ts';
import { count, example, id, instant, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { openings } from '#domain/catalog/policy.ts';
import { queueStates } from '#domain/queue/queue-state.ts';

// The shapes of the queue: the status of an entry, the events of a stream, and the public state.

const queueStatusFields = {
  concertId: id(story.concert),
  userId: id(story.user),
  status: z
    .enum(['WAITING', 'ACTIVE', 'EXPIRED'])
    .describe('WAITING in the queue; ACTIVE: admitted; EXPIRED: the session ended, by time, by payment or by leaving'),
  position: example(
    z.int().min(1).optional().describe('1 = next to be admitted; while WAITING, in a lottery once lots are drawn'),
    42,
  ),
  aheadCount: example(z.int().min(0).optional().describe('Entries ahead; while WAITING'), 41),
  etaSeconds: example(z.int().min(0).optional().describe('Estimated wait, the median; while WAITING, if known'), 130),
  etaP90Seconds: example(
    z.int().min(0).optional().describe('Nine of ten wait no longer; present with etaSeconds'),
    151,
  ),
  opensAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('When admission starts; present until then'),
    story.opensAt,
  ),
  soldOut: example(z.boolean().optional().describe('No seat is available now; admission waits until one is'), true),
  seatsHeld: example(
    z.int().min(0).optional().describe('Held seats, which may become available; present with soldOut'),
    2,
  ),
  pollAfterSeconds: example(z.int().min(1).describe('Poll again after this time, as in Retry-After'), 13),
  sequence: example(z.int().min(1).describe('Drawn on joining; never changes, and smaller goes first'), 1001),
  joinedAt: instant(story.joinedAt),
  expiresAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('End of the session; while ACTIVE'),
    story.sessionEndsAt,
  ),
};

const entry = { concertId: story.concert, userId: story.user, sequence: 1001, joinedAt: story.joinedAt };
const waiting = {
  ...entry,
  status: 'WAITING' as const,
  position: 42,
  aheadCount: 41,
  etaSeconds: 130,
  etaP90Seconds: 151,
  pollAfterSeconds: 13,
};
const active = { ...entry, status: 'ACTIVE' as const, expiresAt: story.sessionEndsAt, pollAfterSeconds: 30 };
const expired = { ...entry, status: 'EXPIRED' as const, pollAfterSeconds: 30 };

export const lastEventId = z.object({
  'last-event-id': example(
    z.string().describe('The id of the last event seen. An EventSource sends it when it reconnects').optional(),
    '1001:42:k3Jd0-sWq9Z',
  ),
});

export const queueStatus = named('Standing', z.object(queueStatusFields), waiting, active, expired);
export const joined = named(
  'Joined',
  z.object({ ...queueStatusFields, token: example(z.string().describe('Send it as Queue-Token'), story.token) }),
  { ...waiting, token: story.token },
  { ...active, token: story.token },
);

export const joinChallenge = named(
  'JoinChallenge',
  z.object({
    algorithm: z.literal('SHA-256'),
    challenge: z.string().describe('SHA-256 of the salt with the number appended in decimal, in hexadecimal'),
    maxnumber: z.int().min(1).describe('The number is from 0 to this'),
    salt: z.string().describe('Contains the end of the challenge: expires, in seconds since 1970'),
    signature: z.string(),
  }),
  {
    algorithm: 'SHA-256',
    challenge: 'ec5d2f98ff0dbf8f2dd09f5e09f39faf5ac5b4d3b4d9fb14a0c1a9f31ffb26c3',
    maxnumber: 50_000,
    salt: `9f1ab8b6a1d7c02e51f3aa94?concert=${story.concert}&user=${story.user}&expires=1795165920&`,
    signature: '1c9f0bb2a3de20d7ec2b7d9c77b28d4bd2b20be97c6cf84f1a1bb2b1cbba2e52',
  },
);

const events = [
  `retry: 13000\nid: 1001:42:k3Jd0-sWq9Z\ndata: ${JSON.stringify(waiting)}\n\n`,
  ': here\n\n',
  `retry: 30000\nid: 1001::7hXw2Lq_0aE\ndata: ${JSON.stringify(active)}\n\n`,
].join('');
export const queueStatusEvents = named(
  'StandingEvents',
  z.string().describe('Server-sent events: the data of each is a Standing, its id identifies it'),
  events,
);

const lots = {
  seedSha256: 'f584d26bcf92beda049559a38a4ff3dafe06facf831f7dbe07351bcec5c1964b',
  seed: '3a'.repeat(32),
  count: 8_421,
  drawnAt: story.opensAt,
};
export const lottery = named(
  'Lottery',
  z.object({
    seedSha256: example(z.string().length(64).describe('SHA-256 of the seed, in hexadecimal'), lots.seedSha256),
    seed: example(z.string().length(64).optional().describe('In hexadecimal; once the lots are drawn'), lots.seed),
    count: example(z.int().min(0).optional().describe('Lots drawn; once they are'), lots.count),
    drawnAt: instant(lots.drawnAt).optional().describe('Once the lots are drawn'),
  }),
  { seedSha256: lots.seedSha256 },
  lots,
);

const moving = {
  concertId: story.concert,
  state: 'OPEN' as const,
  opensAt: story.opensAt,
  opening: 'fifo' as const,
  waiting: 4_200,
  registered: 0,
  active: 100,
  frontier: 4_893,
  drawn: 9_120,
  ratePerSecond: 1.4,
  etaSeconds: 3_000,
  etaP90Seconds: 3_312,
  seatsAvailable: 12,
  seatsHeld: 30,
  soldOut: false,
};
const { etaSeconds: _, etaP90Seconds: __, ...still } = moving;
export const publicQueue = named(
  'PublicLine',
  z.object({
    concertId: id(moving.concertId),
    state: z
      .enum(queueStates)
      .describe(
        'OPEN: admitting. UPCOMING: sales have not opened. REGISTERING: joining is open, admission is not. ' +
          'PAUSED by the operator. SOLD_OUT: no seat is available now. REBUILDING: the queue was lost and is being ' +
          'restored. CLOSED: sales are over',
      ),
    opensAt: instant(moving.opensAt).describe('When admission starts'),
    opening: z
      .enum(openings)
      .describe('The order of those who joined before opensAt: by joining (fifo), or by lot (lottery)'),
    waiting: count(moving.waiting, 'Entries that wait, including those that were absent and have rejoined'),
    registered: count(0, 'Entries that wait for lots to be drawn'),
    active: count(moving.active, 'Active sessions'),
    frontier: example(
      z
        .int()
        .min(1)
        .describe('The smallest sequence that waits. Without a lottery: position ≤ sequence − frontier + 1'),
      moving.frontier,
    ),
    drawn: count(moving.drawn, 'Entries that ever joined: the last sequence drawn'),
    ratePerSecond: example(z.number().min(0).describe('Sessions that end per second, smoothed over a minute'), 1.4),
    etaSeconds: example(
      z.int().min(0).optional().describe('Estimated wait of the last entry; while OPEN, if known'),
      moving.etaSeconds,
    ),
    etaP90Seconds: example(
      z.int().min(0).optional().describe('Nine of ten wait no longer; present with etaSeconds'),
      3_312,
    ),
    seatsAvailable: count(moving.seatsAvailable, 'Free seats of all upcoming dates'),
    seatsHeld: count(moving.seatsHeld, 'Held seats, which may become available'),
    soldOut: z.boolean().describe('No seat is available now'),
    rebuildingSeconds: example(
      z
        .int()
        .min(1)
        .optional()
        .describe('Admission resumes after this time, in which lost entries are restored; while REBUILDING'),
      40,
    ),
    lottery: lottery.optional().describe('Present if lots are drawn'),
  }),
  moving,
  { ...still, state: 'SOLD_OUT', seatsAvailable: 0, soldOut: true },
  {
    ...still,
    state: 'REGISTERING',
    opening: 'lottery',
    waiting: 0,
    registered: 8_421,
    active: 0,
    frontier: 1,
    drawn: 8_421,
    ratePerSecond: 0,
    lottery: { seedSha256: lots.seedSha256 },
  },
);

const figures = {
  waiting: 4_200,
  active: 100,
  absent: 37,
  registered: 0,
  drawn: 9_120,
  frontier: 4_893,
  turnover: 1.4,
  tailEtaSeconds: 3_000,
};
export const queueFigures = named(
  'Line',
  z.object({
    concertId: id(story.concert),
    paused,
    waiting: count(figures.waiting, 'Entries that wait, including those that were absent and have rejoined'),
    active: count(figures.active, 'Active sessions'),
    absent: count(figures.absent, 'Entries passed over after silence, which may still rejoin'),
    registered: count(figures.registered, 'Entries that wait for lots to be drawn'),
    drawn: count(figures.drawn, 'Entries that ever joined: the last sequence drawn'),
    frontier: count(figures.frontier, 'The smallest sequence that waits: smaller ones were admitted or passed over'),
    rebuildingSeconds: example(
      z
        .int()
        .min(1)
        .optional()
        .describe('Of a lost queue: admission resumes after this time, in which its entries are restored'),
      40,
    ),
    turnover: example(z.number().min(0).describe('Sessions that end per second, smoothed over about a minute'), 1.4),
    tailEtaSeconds: example(
      z.int().min(0).optional().describe('Estimated wait of the last entry; left out while paused'),
      figures.tailEtaSeconds,
    ),
  }),
  { concertId: story.concert, paused: false, ...figures },
);
