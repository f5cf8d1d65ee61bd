import { v7 as newId } from 'uuid';
import { describe, expect, it } from 'vitest';
import { type EndpointId, endpointId } from '#domain/ids.ts';
import { postgresHarness } from '#tests/contracts/postgres-harness.ts';
import { webhooksContract } from '#tests/contracts/webhooks-contract.ts';

const harness = await postgresHarness();
webhooksContract(harness);

describe('a secret that was replaced', () => {
  const MANY = 1_000;
  const order = { url: 'https://example.com/hook', eventTypes: [] };
  const kept = async (id: EndpointId) => {
    const { rows } = await harness.postgres.pool.query<{ kept: string | null }>(
      'SELECT previous_secret AS kept FROM webhook_endpoints WHERE endpoint_id = $1',
      [id],
    );
    return rows[0]?.kept;
  };

  it('is kept for as long as it signs, and not for longer', async () => {
    const id = endpointId(newId());
    const { secret } = await harness.webhooks.create({ ...order, endpointId: id }, MANY);
    await harness.webhooks.rotate(id, 3_600);
    await harness.events.forget(3_600, 1);
    expect(await kept(id)).toBe(secret);
    await harness.passes(3_600_000);
    await harness.events.forget(3_600, 1);
    expect(await kept(id)).toBeNull();
  });

  it('is not kept at all where it is not to sign', async () => {
    const id = endpointId(newId());
    await harness.webhooks.create({ ...order, endpointId: id }, MANY);
    await harness.webhooks.rotate(id, 3_600);
    await harness.webhooks.rotate(id, 0);
    expect(await kept(id)).toBeNull();
  });
});
