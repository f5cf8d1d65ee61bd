import { describe, expect, it } from 'vitest';
import { guarded } from '#adapters/redis/client/failures.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';

const failing = (message: string) => guarded(() => Promise.reject(new Error(message)));

describe('a command to Redis', () => {
  it('returns the answer of Redis', async () => {
    expect(await guarded(async () => 'done')).toBe('done');
  });

  it.each([
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Command timed out',
    'Command aborted due to connection close',
    "Socket timeout. Expecting data, but didn't receive any in 2500ms.",
    'Reached the max retries per request limit (which is 0).',
    'connect ECONNREFUSED 127.0.0.1:6379',
    "Cluster isn't ready and enableOfflineQueue options is false",
    'Cluster is ended.',
    'None of startup nodes is available',
    'Failed to refresh slots cache.',
    'Too many Cluster redirections. Last error: Error: MOVED 1 127.0.0.1:7000',
    'All sentinels are unreachable. Retrying from scratch after 50ms.',
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica.",
    'CLUSTERDOWN Hash slot not served',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    "OOM command not allowed when used memory > 'maxmemory'.",
  ])('is refused as unavailable: %s', async (message) => {
    await expectRefusal(failing(message), 'unavailable', { retryAfterSeconds: 1 });
  });

  it('is refused with its cause', async () => {
    await expect(failing('Command timed out')).rejects.toMatchObject({ cause: { message: 'Command timed out' } });
  });

  it.each(['ERR unknown command', 'WRONGTYPE Operation against a key', 'Say LOADING and mean it'])(
    'propagates our own bug: %s',
    async (message) => {
      await expect(failing(message)).rejects.toMatchObject({ name: 'Error', message });
    },
  );
});
