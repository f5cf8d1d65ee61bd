import { expect, it } from 'vitest';
import { queueAuditor } from '#commands/audits/queue-auditor.ts';
import type { QueueEvent } from '#ports/queue/queue-records.ts';

const joinedAt = new Date(0);

function revivedIn(...kinds: QueueEvent['kind'][]): number {
  const auditor = queueAuditor();
  for (const [index, kind] of kinds.entries()) {
    auditor.add({ eventId: `${index}-0-0`, kind, sequence: 1, order: 1, joinedAt, at: new Date(index) });
  }
  return auditor.result().revived.count;
}

it.each<readonly QueueEvent['kind'][]>([
  ['left', 'admitted'],
  ['passed-over', 'forgotten', 'admitted'],
  ['left', 'restored', 'admitted'],
])('a line is not fair where a place that is over is let in: %s, %s, …', (...kinds) => {
  expect(revivedIn(...kinds)).toBe(1);
});

it.each<readonly QueueEvent['kind'][]>([
  ['passed-over', 'returned', 'admitted'],
  ['admitted', 'restored', 'admitted'],
])('it is where a place was kept: %s, %s, …', (...kinds) => {
  expect(revivedIn(...kinds)).toBe(0);
});
