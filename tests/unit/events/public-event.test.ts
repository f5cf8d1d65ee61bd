import { describe, expect, it } from 'vitest';
import { messageIdOf, messageOf, type PublicEvent } from '#domain/events/public-event.ts';

const event: PublicEvent = {
  eventId: '1042',
  type: 'webhook.test',
  aggregateId: 'an aggregate',
  aggregateSequence: 3,
  at: new Date('2026-11-20T09:34:45.120Z'),
  data: { endpointId: 'an endpoint' },
};

describe('a public event', () => {
  it('has a stable id without a dot, which separates the signed parts', () => {
    expect(messageIdOf(event)).toBe('evt_1795167285120_1042');
    expect(messageIdOf({ ...event })).toBe(messageIdOf(event));
  });

  it('has another id once a restored database gives its number to another event', () => {
    expect(messageIdOf({ ...event, at: new Date('2026-11-21T09:34:45.120Z') })).not.toBe(messageIdOf(event));
  });

  it('has its type, time, aggregate, number and data', () => {
    expect(JSON.parse(messageOf(event))).toEqual({
      type: 'webhook.test',
      timestamp: '2026-11-20T09:34:45.120Z',
      aggregateId: 'an aggregate',
      aggregateSequence: 3,
      data: { endpointId: 'an endpoint' },
    });
  });
});
