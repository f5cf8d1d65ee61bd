import type { Counts } from './tally.ts';
import type { FanRecord } from './virtual-fan.ts';
import type { SessionWatch, Sighting } from './watch-sessions.ts';

/** A guarantee, and how often it was broken. */
export type Check = { readonly guarantee: string; readonly offences: number; readonly seen: string };

export type Evidence = {
  readonly records: readonly FanRecord[];
  readonly counts: Counts;
  readonly entries: readonly Sighting[];
  readonly activeMost: number;
  readonly activeMax: number;
  readonly absentSeconds: number;
};

const GOOD_ANSWERS = new Set([
  'join 200',
  'join 201',
  'poll 200',
  'leave 204',
  'reserve 201',
  'reserve 409',
  'pay 201',
]);
/** May happen under load, to whoever is told when to come again. */
const PUT_OFF = / (429|503)$/;

/** Who has asked is written down by then. */
const WRITTEN_DOWN_MS = 1_000;

/** Judges by what the fans were told and by what was seen in Redis; of what the service says of itself nothing is used. */
export function verdict({ records, counts, entries, activeMost, activeMax, absentSeconds }: Evidence): Check[] {
  const stayed = records.filter(({ ending }) => ending !== 'left');
  const kept = stayed.filter(({ silenceMs }) => silenceMs < absentSeconds * 1_000 - WRITTEN_DOWN_MS);
  const keptPolling = new Set(kept.flatMap(({ sequences }) => sequences));
  const lost = stayed.filter(({ timesLetIn }) => timesLetIn === 0);
  const again = records.filter(({ sequences, timesLetIn }) => sequences.length > 1 || timesLetIn > 1);
  const drawn = records.flatMap(({ sequences }) => sequences);
  const entered = new Set(entries.map(({ sequence }) => sequence));
  const atOnce = mostAtOnce(records);
  const odd = Object.entries(counts).filter(([answer]) => !GOOD_ANSWERS.has(answer) && !PUT_OFF.test(answer));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return [
    {
      guarantee: 'nobody who kept polling is overtaken',
      offences: overtaken(entries, keptPolling).length,
      seen: `${entries.length} admissions, ${kept.length} people who kept polling`,
    },
    {
      guarantee: 'nobody is lost: who did not leave was let in',
      offences: lost.length,
      seen: `${stayed.length - lost.length} of ${stayed.length} people`,
    },
    {
      guarantee: 'one number per person, let in once',
      offences: again.length,
      seen: `${records.length} people`,
    },
    {
      guarantee: 'no number twice',
      offences: drawn.length - new Set(drawn).size,
      seen: `${drawn.length} numbers`,
    },
    {
      guarantee: 'nobody is let in a second time',
      offences: entries.length - entered.size,
      seen: `${entered.size} sessions`,
    },
    {
      guarantee: 'never more in than may be, as seen in Redis',
      offences: Math.max(0, activeMost - activeMax),
      seen: `at most ${activeMost} of ${activeMax}`,
    },
    {
      guarantee: 'never more in than may be, as the fans were told',
      offences: Math.max(0, atOnce - activeMax),
      seen: `at most ${atOnce} of ${activeMax}`,
    },
    {
      guarantee: 'no position rises',
      offences: sum(records.map(({ positionRises }) => positionRises)),
      seen: `${counts['poll 200'] ?? 0} polls`,
    },
    {
      guarantee: 'positions count from 1, estimates are times to come',
      offences: sum(records.map(({ oddAnswers }) => oddAnswers)),
      seen: `${counts['poll 200'] ?? 0} polls`,
    },
    {
      guarantee: 'no answer but those that the contract foresees',
      offences: sum(odd.map(([, count]) => count)),
      seen: odd.length === 0 ? 'none' : odd.map(([answer, count]) => `${answer}: ${count}`).join(', '),
    },
  ];
}

/**
 * Who of those who kept polling was let in after somebody with a higher number. Whoever was first seen in one look may have
 * come in any order; between two looks there is an order.
 */
export function overtaken(entries: readonly Sighting[], keptPolling: ReadonlySet<number>): number[] {
  const found: number[] = [];
  let highestBefore = 0;
  let highest = 0;
  let look = -1;
  for (const entry of entries) {
    if (entry.look !== look) highestBefore = highest;
    look = entry.look;
    highest = Math.max(highest, entry.sequence);
    if (entry.sequence < highestBefore && keptPolling.has(entry.sequence)) found.push(entry.sequence);
  }
  return found;
}

/** How many knew themselves to be in at the same time, from being told until giving the place back. */
export function mostAtOnce(records: readonly Pick<FanRecord, 'letInAt' | 'gaveBackAt'>[]): number {
  const changes = records.flatMap(({ letInAt, gaveBackAt }) =>
    letInAt === undefined
      ? []
      : [
          { at: letInAt, change: 1 },
          { at: gaveBackAt ?? Number.POSITIVE_INFINITY, change: -1 },
        ],
  );
  // Within a millisecond, who goes makes room for who comes.
  changes.sort((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of changes) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

/**
 * Milliseconds from a place being given back until somebody else is seen in it, while people wait: from the last look that
 * saw it taken, or from the answer to who gave it back if that was earlier. At most two looks too long, never too short.
 * Places are alike, so the first that is given back counts as the first that is taken again.
 */
export function refills(
  { entries, exits, fullFrom, emptyFrom }: Pick<SessionWatch, 'entries' | 'exits' | 'fullFrom' | 'emptyFrom'>,
  records: readonly Pick<FanRecord, 'sequences' | 'goneAt'>[],
  activeMax: number,
): number[] {
  const gone = new Map(records.flatMap(({ sequences, goneAt }) => sequences.map((sequence) => [sequence, goneAt])));
  const freed = exits.map(({ sequence, since }) => Math.min(since, gone.get(sequence) ?? since)).sort((a, b) => a - b);
  return entries.slice(activeMax).flatMap(({ at }, index) => {
    const since = freed[index] ?? Number.POSITIVE_INFINITY;
    return since >= fullFrom && at < emptyFrom ? [at - since] : [];
  });
}
