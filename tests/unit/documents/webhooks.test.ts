import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventTypes } from '#domain/events/public-event.ts';
import { RETRY_SECONDS } from '#domain/events/webhook.ts';
import { ENDPOINTS_MAX } from '#use-cases/events/create-webhook.ts';

const document = readFileSync('docs/guide/webhooks.md', 'utf8');

describe('docs/guide/webhooks.md', () => {
  it('has a row for each type of event, and no other', () => {
    const rows = [...document.matchAll(/^\| `(\w+\.\w+)`/gm)].map(([, type]) => type);
    expect(rows.toSorted()).toEqual([...eventTypes, 'webhook.test'].toSorted());
  });

  it('says when a delivery is tried again, and when it is given up', () => {
    const hours = (seconds: number) => seconds / 3_600;
    const [first, second, third, ...later] = RETRY_SECONDS;
    const [pauses = ''] = /sent again after [^,]+,[^,]+,[^,]+,[^,]+,[^,]+,[^,]+/.exec(document) ?? [];
    expect(pauses).toContain(`${first} seconds, ${second / 60} minutes, ${third / 60} minutes, `);
    expect(pauses).toContain(`${later.slice(0, -1).map(hours).join(', ')} and ${hours(later.at(-1) ?? 0)} hours`);
    expect(document).toContain(`After ${['seven', 'eight', 'nine'][RETRY_SECONDS.length - 6]} failures`);
  });

  it('says how many endpoints there may be', () => {
    expect(document).toContain(`Up to ${ENDPOINTS_MAX} endpoints`);
  });
});
