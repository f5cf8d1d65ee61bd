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
])('a queue is not fair if an ended entry is admitted: %s, %s, …', (...kinds) => {
  expect(revivedIn(...kinds)).toBe(1);
});

it.each<readonly QueueEvent['kind'][]>([
  ['passed-over', 'returned', 'admitted'],
  ['admitted', 'restored', 'admitted'],
])('it is if the entry was kept: %s, %s, …', (...kinds) => {
  expect(revivedIn(...kinds)).toBe(0);
});
