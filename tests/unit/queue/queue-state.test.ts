import { describe, expect, it } from 'vitest';
import { type QueueState, queueStateOf } from '#domain/queue/queue-state.ts';

const concert = { sales: 'OPEN' as const, opened: true, policy: { paused: false } };
const figures = { registered: 0 };
const seats = { available: 1 };
const paused = { paused: true };

describe('the state of a queue', () => {
  type Given = Parameters<typeof queueStateOf>;
  it.each<readonly [state: QueueState, when: string, ...Given]>([
    ['OPEN', 'entries are admitted', concert, figures, seats],
    ['UPCOMING', 'before sales open', { ...concert, sales: 'UPCOMING' as const, opened: false }, figures, seats],
    [
      'CLOSED',
      'once sales have closed, in any case',
      { ...concert, sales: 'CLOSED' as const },
      figures,
      { available: 0 },
    ],
    ['REGISTERING', 'while people join for the opening', { ...concert, opened: false }, figures, seats],
    ['REGISTERING', 'until the lots are drawn', concert, { registered: 1 }, seats],
    ['REGISTERING', 'before the opening, paused or not', { ...concert, opened: false, policy: paused }, figures, seats],
    ['PAUSED', 'by the operator', { ...concert, policy: paused }, figures, seats],
    ['SOLD_OUT', 'while no seat can be had', concert, figures, { available: 0 }],
    ['SOLD_OUT', 'paused or not', { ...concert, policy: paused }, figures, { available: 0 }],
    ['REBUILDING', 'after the queue was lost, in any case', concert, { ...figures, rebuildingMs: 1 }, { available: 0 }],
  ])('is %s %s', (state, _, ...given) => {
    expect(queueStateOf(...given)).toBe(state);
  });
});
