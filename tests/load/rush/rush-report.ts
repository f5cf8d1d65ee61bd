import { cpus, totalmem } from 'node:os';
import { percentile } from '#tests/load/spread.ts';
import type { RushResult, Standings } from './rush.ts';
import type { RushPlan } from './stage-rush.ts';
import type { FanRecord } from './virtual-fan.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function standingsLine(now: Standings): string {
  const { joined, waiting, active, done, left, polls, pollP99Ms, busy, limited, retries } = now;
  const figures = { joined, waiting, active, done, left, 'polls/s': polls, 'poll p99 ms': pollP99Ms };
  const refused = { 'put off (503)': busy, 'limited (429)': limited, 'other door': retries };
  return Object.entries({ ...figures, ...refused })
    .map(([name, value]) => `${name} ${whole.format(value)}`)
    .join(' · ');
}

/** A table in Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function checksTable({ checks }: RushResult): string {
  return table(
    ['Guarantee', 'Broken', 'Seen'],
    checks.map(({ guarantee, offences, seen }) => [guarantee, offences === 0 ? '0' : `**${offences}**`, seen]),
  );
}

function latencyTable({ crowd, refillMs }: RushResult): string {
  const row = (name: string, values: Iterable<number>) => {
    const sorted = [...values].sort((a, b) => a - b);
    const figures = [0.5, 0.9, 0.99, 1].map((part) =>
      sorted.length === 0 ? '–' : tenth.format(percentile(sorted, part)),
    );
    return [name, whole.format(sorted.length), ...figures];
  };
  return table(
    ['Milliseconds', 'Times', 'p50', 'p90', 'p99', 'max'],
    [...Object.entries(crowd.latencies).map(([errand, values]) => row(errand, values)), row('refill', refillMs)],
  );
}

export function documentOf(plan: RushPlan, result: RushResult): string {
  const { crowd, versions, lookGapsMs, calibration } = result;
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const endings = (kind: FanRecord['ending']) =>
    whole.format(crowd.records.filter(({ ending }) => ending === kind).length);
  const answers = Object.entries(crowd.counts).sort(([a], [b]) => a.localeCompare(b));
  return `# A rush on the line

Written by \`npm run load:line\` on ${new Date().toISOString().slice(0, 10)}. Do not edit: run it again.

${whole.format(plan.fans)} people join within ${plan.arrivalSeconds} seconds through ${plan.instances} instances, at most ${whole.format(plan.activeMax)} are in at once, and they poll when they
are told to. One in ten leaves while waiting, one in twenty says nothing for longer than ${plan.absentSeconds} seconds and comes back; those who
are let in stay for a moment, a few buy a seat. When half of them are through, one instance is killed and another started.

- Machine: ${processors.length} cores (${processors[0]?.model}), ${gigabytes} GB of memory. The crowd, Redis, Postgres and the instances share it, over the
  loopback: with machines of their own all latencies are lower.
- Versions: Node ${process.versions.node}, Redis ${versions.redis}, Postgres ${versions.postgres}. Frontrow runs with its settings as they come, its log written to a file.
- The last one had a place after ${tenth.format(crowd.joinedSeconds)} s and the last one was through after ${whole.format(crowd.seconds)} s: ${endings('looked')} looked and went, ${endings('bought')} bought,
  ${endings('left')} left while waiting; ${whole.format(crowd.counts['join 200'] ?? 0)} came back after a silence. ${whole.format(crowd.retries)} requests were refused or
  broke when the instance was killed, and went to another. At most ${whole.format(result.passedOverMost)} people were passed over at once.
- Of ${whole.format(calibration.estimates)} estimates of the wait, told ten seconds and more before the admission, half were wrong by at most ${whole.format(100 * calibration.medianError)} %;
  ${whole.format(100 * calibration.withinP90)} % waited no longer than the bound for nine of ten.
- Processor time: instances ${whole.format(result.serverCpuSeconds)} s, Redis ${whole.format(result.redisCpuSeconds)} s, crowd ${whole.format(crowd.cpuSeconds)} s (${whole.format((100 * crowd.cpuSeconds) / crowd.seconds)} % of a core; its event loop was late by
  ${tenth.format(crowd.eventLoopP99Ms)} ms at p99).

${checksTable(result)}

${latencyTable(result)}

Answers: ${answers.map(([answer, count]) => `${answer}: ${whole.format(count)}`).join(', ')}.

## How to read it

- A latency begins when a fan wants to ask and ends when they have the whole answer: it includes the time until one of the
  crowd's connections is free, and the attempts at an instance that is gone. Answers 503 and 429 are counted above but are not in it.
- The refill is from a place coming free until somebody else is in it, while people wait. Both are seen by looking into Redis
  every ${tenth.format(percentile(lookGapsMs, 0.5))} ms (p99 ${tenth.format(percentile(lookGapsMs, 0.99))} ms): it counts from the last look that saw the place taken, or from the answer to who gave it
  back if that came earlier, so it is up to two looks too long and never too short.
- Who is in, and in which order they came in, is seen by the same looks, independent of the service: people who were first seen
  in one look may have come in any order. Whoever was silent for longer than absence allows has no say in the order, but must not be lost.
`;
}
