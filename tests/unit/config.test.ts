import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, variableNames } from '#config/config.ts';

const REQUIRED = {
  DATABASE_URL: 'postgresql://user:password@db.example:5432/frontrow',
  REDIS_URL: 'redis://redis.example:6379',
  ACCESS_TOKEN_SECRET: 'an access secret of more than 32 characters',
  QUEUE_TOKEN_KEYS: 'k1:a queue secret of more than 32 characters',
};

const INTEGERS: readonly (readonly [name: string, min: number, max: number])[] = [
  ['PORT', 0, 65_535],
  ['ACCESS_TOKEN_SECONDS', 60, 31_536_000],
  ['ACTIVE_MAX', 0, 1_000_000],
  ['ADMIT_PER_WINDOW', 0, 1_000_000],
  ['WINDOW_SECONDS', 1, 3_600],
  ['WAITING_MAX', 1, 100_000_000],
  ['SESSION_SECONDS', 5, 86_400],
  ['CLAIM_SECONDS', 5, 3_600],
  ['ABSENT_SECONDS', 5, 86_400],
  ['GRACE_SECONDS', 0, 86_400],
  ['HOLD_SECONDS', 1, 3_600],
  ['HOLD_SECONDS_MAX', 0, 86_400],
  ['REFUND_UNTIL_SECONDS', -1, 31_536_000],
  ['SEATS_PER_USER_MAX', 1, 1_000],
  ['HOLDS_PER_SESSION_MAX', 1, 10_000],
  ['CHARGE_MIN', 1, Number.MAX_SAFE_INTEGER],
  ['CHARGE_MAX', 1, Number.MAX_SAFE_INTEGER],
  ['BALANCE_MAX', 1, Number.MAX_SAFE_INTEGER],
  ['REBUILD_SECONDS', 1, 600],
  ['ADMISSION_TICK_MS', 10, 1_000],
  ['SURVEY_TICK_MS', 10, 300],
  ['EXPIRY_TICK_MS', 10, 60_000],
  ['RELAY_TICK_MS', 10, 60_000],
  ['EVENT_STREAM_MAX', 1_000, 10_000_000],
  ['EVENT_RETENTION_SECONDS', 172_800, 31_536_000],
  ['WEBHOOK_TIMEOUT_MS', 1_000, 30_000],
  ['DATABASE_POOL_MAX', 1, 500],
  ['DATABASE_CONNECT_TIMEOUT_MS', 100, 60_000],
  ['DATABASE_STATEMENT_TIMEOUT_MS', 100, 60_000],
  ['DATABASE_LOCK_TIMEOUT_MS', 100, 60_000],
  ['REDIS_COMMAND_TIMEOUT_MS', 50, 10_000],
  ['BODY_LIMIT_BYTES', 1_024, 1_048_576],
  ['RATE_LIMIT_PER_MINUTE', 0, 1_000_000],
  ['POLL_LIMIT_PER_MINUTE', 0, 1_000_000],
  ['LOG_SAMPLE', 1, 1_000_000],
  ['JOIN_CHALLENGE_NUMBER_MIN', 1, 10_000_000],
  ['JOIN_CHALLENGE_NUMBER_MAX', 1, 10_000_000],
  ['JOIN_CHECK_TIMEOUT_MS', 50, 10_000],
  ['STREAMS_MAX', 0, 100_000],
  ['STREAM_HEARTBEAT_SECONDS', 1, 60],
  ['EXPORTS_MAX', 0, 100],
  ['EXPORT_STALLED_SECONDS', 1, 3_600],
  ['DRAIN_SECONDS', 0, 60],
  ['SHUTDOWN_SECONDS', 1, 300],
];

const OTHERS = {
  HOST: [],
  DATABASE_URL: ['db.example', 'mysql://db.example/x'],
  REDIS_URL: [
    'redis.example',
    'http://redis.example',
    'redis://a:6379,b:6379',
    'redis+cluster://',
    'redis+cluster://a:6379,',
    'redis+cluster://a:0',
    'redis+cluster://a:65536',
    'redis+cluster://a:6379/0',
    'redis+cluster://a b:6379',
    'redis+cluster://:50%@a:6379',
    'redis+sentinel://a:26379',
    'redis+sentinel://a:26379/',
    'redis+sentinel://a:26379/main/0',
    'redis+replicas://a:6379',
  ],
  ACCESS_TOKEN_SECRET: ['too short', 'x'.repeat(31)],
  QUEUE_TOKEN_KEYS: [
    'no colon in a secret of more than 32 characters',
    'k1:short',
    ':a secret of more than 32 characters, without id',
    `k1:${'x'.repeat(32)},k1:${'y'.repeat(32)}`,
    `k1:${'x'.repeat(32)},`,
    `${'k'.repeat(17)}:${'x'.repeat(32)}`,
  ],
  ADMIN_KEYS: [
    'no-digest',
    `ops:${'a'.repeat(63)}`,
    `ops:${'g'.repeat(64)}`,
    `:${'a'.repeat(64)}`,
    `ops:${'a'.repeat(64)}:`,
    `ops:${'a'.repeat(64)},ops:${'b'.repeat(64)}`,
  ],
  OPENING: ['FIFO', 'random'],
  STRANDED_SEATS: ['on', 'WARN'],
  CURRENCY: ['won', 'KR', 'KRWX', '₩₩₩'],
  CORS_ORIGINS: [],
  TRUST_PROXY: [
    'yes',
    'true',
    'TRUE',
    '0',
    '11',
    '-1',
    '1.5',
    'proxy.example',
    '10.0.0.0/8,',
    '10.0.0.1 10.0.0.2',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/',
    '10.0.0',
  ],
  WEBHOOK_ALLOW_NETWORKS: ['localhost', '10.0.0.0/33', '10.0.0', '10.0.0.0/8 127.0.0.1', '::1/129'],
  LOG_LEVEL: ['loud'],
  JOIN_CHALLENGE: ['on', '1'],
  JOIN_CHECK_URL: ['check.example', 'ftp://check.example/'],
  JOIN_CHECK_FAILURE: ['true', 'half'],
  MIGRATE_ON_START: ['yes'],
  SEED_DEMO: ['yes'],
};

/** The variables that a setting's error message names. */
function offending(environment: Record<string, string | undefined>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n').slice(1);
    return [...new Set(lines.map((line) => line.trim().split(':', 1)[0] ?? ''))];
  }
}

describe('the configuration', () => {
  it('requires the stores and the secrets, and names all missing ones at once', () => {
    expect(offending({}).toSorted()).toEqual(Object.keys(REQUIRED).toSorted());
    expect(readConfig(REQUIRED)).toMatchObject({ http: { port: 3_000 }, policy: { activeMax: 100, holdSeconds: 300 } });
  });

  it('names all wrong variables at once', () => {
    const wrong = { PORT: 'x', ACTIVE_MAX: '0', CURRENCY: 'won', LOG_LEVEL: 'loud', REDIS_URL: 'x' };
    expect(offending({ ...REQUIRED, ...wrong }).toSorted()).toEqual(Object.keys(wrong).toSorted());
  });

  it('treats an empty value as missing', () => {
    expect(readConfig({ ...REQUIRED, PORT: '', CURRENCY: '' })).toEqual(readConfig(REQUIRED));
    expect(offending({ ...REQUIRED, REDIS_URL: '' })).toEqual(['REDIS_URL']);
  });

  it.each(INTEGERS)('accepts %s as an integer from %d to %d', (name, min, max) => {
    const other = name === 'ADMIT_PER_WINDOW' ? 'ACTIVE_MAX' : 'ADMIT_PER_WINDOW';
    const roomy = {
      ...{ ...REQUIRED, [other]: '1', CHARGE_MIN: '1', CHARGE_MAX: String(Number.MAX_SAFE_INTEGER) },
      ...{ JOIN_CHALLENGE_NUMBER_MIN: '1', JOIN_CHALLENGE_NUMBER_MAX: '10000000' },
    };
    for (const value of [min, max]) expect(offending({ ...roomy, [name]: String(value) })).toEqual([]);
    for (const value of [min - 1, max + 1, min + 0.5, 'many', 'NaN', 'Infinity']) {
      expect(offending({ ...roomy, [name]: String(value) }), `${name}=${value}`).toContain(name);
    }
  });

  it('requires the bounds of a charge in order', () => {
    expect(offending({ ...REQUIRED, CHARGE_MIN: '2', CHARGE_MAX: '1' })).toEqual(['CHARGE_MIN']);
    expect(offending({ ...REQUIRED, CHARGE_MIN: '2', CHARGE_MAX: '2' })).toEqual([]);
  });

  it('requires the bounds of a join challenge in order, and passes them on only if it is on', () => {
    const bounds = { JOIN_CHALLENGE_NUMBER_MIN: '2', JOIN_CHALLENGE_NUMBER_MAX: '1' };
    expect(offending({ ...REQUIRED, ...bounds })).toEqual(['JOIN_CHALLENGE_NUMBER_MIN']);
    const on = { ...REQUIRED, JOIN_CHALLENGE: 'true', JOIN_CHALLENGE_NUMBER_MIN: '7' };
    expect(readConfig(on).http.joinChallenge).toEqual({ numberMin: 7, numberMax: 250_000 });
    expect(readConfig({ ...on, JOIN_CHALLENGE: 'false' }).http.joinChallenge).toBeUndefined();
  });

  it('requires one of the two limits of admission, and reports it together with other errors', () => {
    expect(offending({ ...REQUIRED, ACTIVE_MAX: '0' })).toEqual(['ACTIVE_MAX']);
    expect(offending({ ...REQUIRED, ACTIVE_MAX: '0', PORT: 'x' }).toSorted()).toEqual(['ACTIVE_MAX', 'PORT']);
    expect(offending({ ...REQUIRED, ACTIVE_MAX: '0', ADMIT_PER_WINDOW: '1' })).toEqual([]);
  });

  it.each(Object.entries(OTHERS))('does not accept every value as %s', (name, values) => {
    for (const value of values) {
      expect(offending({ ...REQUIRED, [name]: value }), `${name}=${value}`).toEqual([name]);
    }
  });

  it('is checked here in every variable', () => {
    expect([...INTEGERS.map(([name]) => name), ...Object.keys(OTHERS)].toSorted()).toEqual(variableNames.toSorted());
  });

  it('reads keys in order, so that the first signs, and lets a secret contain a colon', () => {
    const keys = `new:${'n:'.repeat(20)}, old:${'o'.repeat(32)}`;
    expect(readConfig({ ...REQUIRED, QUEUE_TOKEN_KEYS: keys }).http.queueTokenKeys).toEqual([
      { id: 'new', secret: 'n:'.repeat(20) },
      { id: 'old', secret: 'o'.repeat(32) },
    ]);
  });

  it.each([
    ['redis://:p@redis.example:6379/1', { url: 'redis://:p@redis.example:6379/1' }],
    ['rediss://redis.example', { url: 'rediss://redis.example' }],
    [
      'redis+cluster://a.example:7000,10.0.0.2, [fd00::3]:7002',
      {
        cluster: [
          { host: 'a.example', port: 7_000 },
          { host: '10.0.0.2', port: 6_379 },
          { host: 'fd00::3', port: 7_002 },
        ],
        tls: false,
      },
    ],
    [
      'rediss+cluster://user:p%40ss:word@a.example:7000',
      { cluster: [{ host: 'a.example', port: 7_000 }], tls: true, username: 'user', password: 'p@ss:word' },
    ],
    [
      'redis+sentinel://:secret@a.example,b.example:5000/main',
      {
        sentinels: [
          { host: 'a.example', port: 26_379 },
          { host: 'b.example', port: 5_000 },
        ],
        primaryName: 'main',
        tls: false,
        password: 'secret',
      },
    ],
  ])('reads the address of Redis: REDIS_URL=%s', (value, servers) => {
    expect(readConfig({ ...REQUIRED, REDIS_URL: value }).redis).toEqual({ ...servers, commandTimeoutMs: 250 });
  });

  it('reads admin keys, which are optional', () => {
    const keys = `ops:${'a'.repeat(64)}, night:${'B'.repeat(64)}`;
    expect(readConfig({ ...REQUIRED, ADMIN_KEYS: keys }).http.adminKeys).toEqual([
      { id: 'ops', sha256: 'a'.repeat(64) },
      { id: 'night', sha256: 'B'.repeat(64) },
    ]);
    expect(readConfig(REQUIRED).http.adminKeys).toEqual([]);
  });

  it('reads lists and flags', () => {
    const { http, seedDemo } = readConfig({
      ...REQUIRED,
      CORS_ORIGINS: 'https://a.example, https://b.example,',
      SEED_DEMO: 'true',
    });
    expect(http.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect(seedDemo).toBe(true);
  });

  it.each([
    ['false', false],
    ['1', 1],
    ['10', 10],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['10.0.0.7, fd00::/8,::1', ['10.0.0.7', 'fd00::/8', '::1']],
  ])('reads the trusted proxies: TRUST_PROXY=%s', (value, trusted) => {
    expect(readConfig({ ...REQUIRED, TRUST_PROXY: value }).http.trustProxy).toEqual(trusted);
  });

  it('never shows a secret in its error', () => {
    const secret = 'a-secret-that-is-short';
    expect(() => readConfig({ ...REQUIRED, ACCESS_TOKEN_SECRET: secret, QUEUE_TOKEN_KEYS: `k1:${secret}` })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
    expect(() => readConfig({ ...REQUIRED, REDIS_URL: `redis+cluster://:${secret}@a:0` })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const settings = [...text.matchAll(/^#? ?([A-Z][A-Z_]*)=(.*)$/gm)].map(([, name = '', value = '']) => ({
    name,
    value,
  }));

  it('lists exactly the existing settings, once each', () => {
    expect(settings.map(({ name }) => name).toSorted()).toEqual(variableNames.toSorted());
  });

  it('shows the defaults', () => {
    const shown = settings.filter(({ name, value }) => value !== '' && !(name in REQUIRED));
    const environment = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
    expect(readConfig({ ...environment, ...REQUIRED })).toEqual(readConfig(REQUIRED));
    expect(shown.length).toBeGreaterThan(20);
  });

  it('contains no secret and no store, so that a copy uses none by accident', () => {
    expect(settings.filter(({ name }) => name in REQUIRED).map(({ value }) => value)).toEqual(['', '', '', '']);
  });
});
