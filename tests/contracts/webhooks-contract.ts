import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { endpointId } from '#domain/ids.ts';
import { expectRefusal } from './expect-refusal.ts';
import { allPages, type StoreHarness } from './store-harness.ts';

const MANY = 1_000;
const HOUR_SECONDS = 3_600;
/** What the Standard Webhooks convention says of secrets. */
const BYTES_MIN = 24;
const BYTES_MAX = 64;

/** What `Webhooks` promises of endpoints. */
export function webhooksContract({ webhooks, passes }: StoreHarness): void {
  const create = (eventTypes: readonly 'payment.captured'[] = [], endpointsMax = MANY) =>
    webhooks.create({ endpointId: endpointId(newId()), url: 'https://example.com/hook', eventTypes }, endpointsMax);
  const idOf = async () => (await create()).endpoint.endpointId;

  describe('an endpoint', () => {
    it('is made with a secret of its own, and found as it was made', async () => {
      const { endpoint, secret } = await create(['payment.captured']);
      expect(endpoint).toMatchObject({
        url: 'https://example.com/hook',
        eventTypes: ['payment.captured'],
        enabled: true,
      });
      expect(endpoint.createdAt).toBeInstanceOf(Date);
      expect(await webhooks.find(endpoint.endpointId)).toEqual(endpoint);
      const [, key = ''] = /^whsec_(.+)$/.exec(secret) ?? [];
      expect(Buffer.from(key, 'base64').length).toBeGreaterThanOrEqual(BYTES_MIN);
      expect(Buffer.from(key, 'base64').length).toBeLessThanOrEqual(BYTES_MAX);
      expect((await create()).secret).not.toBe(secret);
    });

    it('is refused beyond as many as there may be, also when many come at once', async () => {
      const before = (await allPages(webhooks.list, 100)).flat().length;
      const made = await Promise.allSettled(Array.from({ length: 6 }, () => create([], before + 2)));
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      await expectRefusal(create([], before + 2), 'webhook-limit-reached', { limit: before + 2 });
    });

    it('is changed where something is said, and stays where not', async () => {
      const id = await idOf();
      const moved = await webhooks.change(id, { url: 'https://example.com/moved' });
      expect(moved).toMatchObject({ url: 'https://example.com/moved', eventTypes: [], enabled: true });
      const narrowed = await webhooks.change(id, { eventTypes: ['payment.captured'] });
      expect(narrowed).toMatchObject({ url: 'https://example.com/moved', eventTypes: ['payment.captured'] });
      const off = await webhooks.change(id, { enabled: false });
      expect(off).toMatchObject({ enabled: false, disabledReason: 'operator' });
      expect(await webhooks.change(id, { eventTypes: [] })).toEqual({ ...off, eventTypes: [] });
      const on = await webhooks.change(id, { enabled: true });
      expect(on).toEqual({ ...moved, eventTypes: [] });
    });

    it('gets a new secret, and the one before signs for so long', async () => {
      const { endpoint, secret } = await create();
      const rotated = await webhooks.rotate(endpoint.endpointId, HOUR_SECONDS);
      expect(rotated?.secret).not.toBe(secret);
      expect(rotated?.endpoint.previousSecretUntil).toBeInstanceOf(Date);
      await passes(HOUR_SECONDS * 1_000);
      expect(await webhooks.find(endpoint.endpointId)).not.toHaveProperty('previousSecretUntil');
    });

    it('is not there any more once it is removed', async () => {
      const id = await idOf();
      expect(await webhooks.remove(id)).toBe(true);
      expect(await webhooks.remove(id)).toBe(false);
      expect(await webhooks.find(id)).toBeUndefined();
      expect(await webhooks.change(id, { enabled: true })).toBeUndefined();
      expect(await webhooks.rotate(id, 0)).toBeUndefined();
      const listed = (await allPages(webhooks.list, 100)).flat().map(({ endpointId }) => endpointId);
      expect(listed).not.toContain(id);
    });

    it('is listed, the newest first, page by page', async () => {
      const ids = [await idOf(), await idOf(), await idOf()];
      const pages = await allPages(webhooks.list, 2);
      expect(pages[0]).toHaveLength(2);
      const listed = pages.flat().map(({ endpointId }) => endpointId);
      expect(listed.slice(0, 3)).toEqual(ids.toReversed());
      expect(new Set(listed).size).toBe(listed.length);
    });
  });
}
