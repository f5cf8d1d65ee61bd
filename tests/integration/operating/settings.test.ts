import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMPILE_CACHE, type Settings } from '#tests/support/instance.ts';
import { reaped } from '#tests/support/reaper.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** Nobody listens there: a start that reads its settings first says so before it looks for a server. */
const NOWHERE = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/nothing', REDIS_URL: 'redis://127.0.0.1:9' };

async function start(settings: Settings) {
  const child = reaped(
    spawn(process.execPath, [MAIN], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const ended = once(child, 'close');
  const [said, complained, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const named = [...complained.matchAll(/^ {2}([A-Z_]+): \S/gm)].map(([, name]) => name).sort();
  return { code, said, complained, named };
}

describe.concurrent('a start with missing or wrong settings', () => {
  test('names every missing or empty secret, and exits with 1', async () => {
    const { code, said, complained, named } = await start({ ...NOWHERE, ACCESS_TOKEN_SECRET: '', HOLD_SECONDS: '' });
    expect(complained).toContain('  QUEUE_TOKEN_KEYS: is missing');
    expect({ code, said, named }).toEqual({ code: 1, said: '', named: ['ACCESS_TOKEN_SECRET', 'QUEUE_TOKEN_KEYS'] });
  });

  test('names every wrong one at once, shows no secret, and exits with 1', async () => {
    const secret = 'hunter2-hunter2-hunter2';
    const wrong = {
      DATABASE_URL: 'mysql://127.0.0.1/frontrow',
      REDIS_URL: '127.0.0.1:6379',
      ACCESS_TOKEN_SECRET: secret,
      QUEUE_TOKEN_KEYS: `k1:${secret}`,
      PORT: '65536',
      ACTIVE_MAX: '0',
      HOLD_SECONDS: '5 minutes',
      CURRENCY: 'won',
      TRUST_PROXY: 'yes',
      LOG_LEVEL: 'loud',
    };
    const { code, said, complained, named } = await start(wrong);
    expect({ code, said, named }).toEqual({ code: 1, said: '', named: Object.keys(wrong).sort() });
    expect(complained).toContain('.env.example');
    expect(complained).not.toContain(secret);
    expect(complained).not.toMatch(/\bat \S+ \(|\.ts:\d/);
  });
});
