import { z } from 'zod';
import { count, example, id, instant, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { openings } from '#domain/catalog/policy.ts';
import { queueStates } from '#domain/queue/queue-state.ts';

// The shapes of the line: a place in it, what is pushed, what everybody may see.

const standingFields = {
  concertId: id(story.concert),
  userId: id(story.user),
  status: z
    .enum(['WAITING', 'ACTIVE', 'EXPIRED'])
    .describe('WAITING in line; ACTIVE: let in; EXPIRED: the session ended, was paid or was given up'),
  position: example(
    z.int().min(1).optional().describe('1 = next to be let in; while WAITING, and once lots are drawn where they are'),
    42,
  ),
  aheadCount: example(z.int().min(0).optional().describe('How many go first; while WAITING'), 41),
  etaSeconds: example(
    z.int().min(0).optional().describe('Estimated wait: as likely less as more; while WAITING, if known'),
    130,
  ),
  etaP90Seconds: example(z.int().min(0).optional().describe('Nine of ten wait no longer; with etaSeconds'), 151),
  opensAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('When people are let in from; until then'),
    story.opensAt,
  ),
  soldOut: example(z.boolean().optional().describe('No seat can be had now; nobody is let in until one can'), true),
  seatsHeld: example(z.int().min(0).optional().describe('Seats that may come back; with soldOut'), 2),
  pollAfterSeconds: example(z.int().min(1).describe('When to ask again, as in Retry-After'), 13),
  sequence: example(z.int().min(1).describe('Drawn on joining; never changes, and smaller goes first'), 1001),
  joinedAt: instant(story.joinedAt),
  expiresAt: example(
    z.iso.datetime({ precision: 3 }).optional().describe('End of the session; while ACTIVE'),
    story.sessionEndsAt,
  ),
};

const place = { concertId: story.concert, userId: story.user, sequence: 1001, joinedAt: story.joinedAt };
const waiting = {
  ...place,
  status: 'WAITING' as const,
  position: 42,
  aheadCount: 41,
  etaSeconds: 130,
  etaP90Seconds: 151,
  pollAfterSeconds: 13,
};
const active = { ...place, status: 'ACTIVE' as const, expiresAt: story.sessionEndsAt, pollAfterSeconds: 30 };
const expired = { ...place, status: 'EXPIRED' as const, pollAfterSeconds: 30 };

export const queueStatus = named('Standing', z.object(standingFields), waiting, active, expired);
export const joined = named(
  'Joined',
  z.object({ ...standingFields, token: example(z.string().describe('Send it as Queue-Token'), story.token) }),
  { ...waiting, token: story.token },
  { ...active, token: story.token },
);

const events = [
  `retry: 13000\nid: 1001:42:k3Jd0-sWq9Z\ndata: ${JSON.stringify(waiting)}\n\n`,
  ': here\n\n',
  `retry: 30000\nid: 1001::7hXw2Lq_0aE\ndata: ${JSON.stringify(active)}\n\n`,
].join('');
export const standingEvents = named(
  'StandingEvents',
  z.string().describe('Server-sent events: the data of each is a Standing, its id names it'),
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
    count: example(z.int().min(0).optional().describe('How many lots were drawn; once they are'), lots.count),
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
export const publicLine = named(
  'PublicLine',
  z.object({
    concertId: id(moving.concertId),
    state: z
      .enum(queueStates)
      .describe(
        'OPEN: people are let in. UPCOMING: sales have not opened. REGISTERING: people may join, nobody is let in yet. ' +
          'PAUSED by the operator. SOLD_OUT: no seat can be had now. REBUILDING after the line was lost. CLOSED: sales are over',
      ),
    opensAt: instant(moving.opensAt).describe('From when on people are let in'),
    opening: z.enum(openings).describe('Who goes first of those who joined before opensAt'),
    waiting: count(moving.waiting, 'People in line, those included who were passed over and are back'),
    registered: count(0, 'People who wait for lots to be drawn'),
    active: count(moving.active, 'People who are in'),
    frontier: example(
      z.int().min(1).describe('The smallest number in line. Without lots: position ≤ sequence − frontier + 1'),
      moving.frontier,
    ),
    drawn: count(moving.drawn, 'People who ever joined: the last number drawn'),
    ratePerSecond: example(z.number().min(0).describe('Sessions that end per second, smoothed over a minute'), 1.4),
    etaSeconds: example(
      z.int().min(0).optional().describe('Estimated wait of the last in line; while OPEN, if known'),
      moving.etaSeconds,
    ),
    etaP90Seconds: example(z.int().min(0).optional().describe('Nine of ten wait no longer; with etaSeconds'), 3_312),
    seatsAvailable: count(moving.seatsAvailable, 'Seats that are free, of all dates to come'),
    seatsHeld: count(moving.seatsHeld, 'Seats that are held and not paid for, and may come back'),
    soldOut: z.boolean().describe('No seat can be had now'),
    rebuildingSeconds: example(
      z.int().min(1).optional().describe('How much longer those who were in the line are waited for; while REBUILDING'),
      40,
    ),
    lottery: lottery.optional().describe('Where lots are drawn'),
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
