import { z } from 'zod';
import { orphanSeatsPolicies } from '#domain/booking/best-seats.ts';
import { openings, policyBounds } from '#domain/catalog/policy.ts';
import { redisServersOf } from './redis-servers.ts';
import { StartError } from './start-error.ts';

// All settings: variable, default, bounds and unit. `.env.example` lists the same, and a test compares the two.

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

const PROXY_HOPS_MAX = 10;
const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/** Trusts X-Forwarded-For from no proxy (`false`), from this many proxies in front, or from these addresses. */
const proxies = z.string().transform((value, context) => {
  if (value === 'false') return false;
  if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= PROXY_HOPS_MAX) return Number(value);
  const addresses = z.array(address).safeParse(value.split(',').map((item) => item.trim()));
  if (addresses.success) return addresses.data;
  context.addIssue(`must be false, a number of proxies from 1 to ${PROXY_HOPS_MAX}, or addresses such as 10.0.0.0/8`);
  return z.NEVER;
});

type SigningKey = { readonly id: string; readonly secret: string };

const KEY_ID = /^[\w-]{1,16}$/;
const SECRET_LENGTH_MIN = 32;
const secret = z.string().min(SECRET_LENGTH_MIN, `must have at least ${SECRET_LENGTH_MIN} characters`);

/** `id:secret,id2:secret2`: the first key signs, all verify. */
const signingKeys = z.string().transform((value, context) => {
  const keys = value.split(',').map((pair) => {
    const [id = '', ...rest] = pair.trim().split(':');
    return { id, secret: rest.join(':') };
  });
  const sound = keys.every(({ id, secret }) => KEY_ID.test(id) && secret.length >= SECRET_LENGTH_MIN);
  if (!sound || new Set(keys.map(({ id }) => id)).size !== keys.length) {
    context.addIssue(
      `must be id:secret pairs, ids of 1 to 16 letters, secrets of at least ${SECRET_LENGTH_MIN} characters`,
    );
  }
  return keys as [SigningKey, ...SigningKey[]];
});

/** `id:sha256,id2:sha256` in hexadecimal: each is accepted. */
const adminKeys = z.string().transform((value, context) => {
  const keys = value.split(',').map((pair) => {
    const [id = '', sha256 = '', ...rest] = pair.trim().split(':');
    return { id, sha256: rest.length === 0 ? sha256 : '' };
  });
  const sound = keys.every(({ id, sha256 }) => KEY_ID.test(id) && /^[0-9a-f]{64}$/i.test(sha256));
  if (!sound || new Set(keys.map(({ id }) => id)).size !== keys.length) {
    context.addIssue('must be id:sha256 pairs, ids of 1 to 16 letters, the SHA-256 of each key in hexadecimal');
  }
  return keys;
});

/** Networks and addresses, comma-separated. */
const networks = list.transform((items, context) => {
  if (z.array(address).safeParse(items).success) return items;
  context.addIssue('must be networks and addresses such as 10.0.0.0/8,192.0.2.7');
  return z.NEVER;
});

const redisServers = z.string().transform((value, context) => {
  try {
    return redisServersOf(value);
  } catch (error) {
    context.addIssue((error as TypeError).message);
    return z.NEVER;
  }
});

const variables = {
  HOST: z.string().default('0.0.0.0'),
  PORT: integer(0, 65_535).default(3000),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  REDIS_URL: redisServers,
  ACCESS_TOKEN_SECRET: secret,
  ACCESS_TOKEN_SECONDS: integer(60, 31_536_000).default(86_400),
  QUEUE_TOKEN_KEYS: signingKeys,
  ADMIN_KEYS: adminKeys.default([]),

  OPENING: z.enum(openings).default('fifo'),
  ACTIVE_MAX: integer(...policyBounds.activeMax).default(100),
  ADMIT_PER_WINDOW: integer(...policyBounds.admitPerWindow).default(0),
  WINDOW_SECONDS: integer(...policyBounds.windowSeconds).default(60),
  WAITING_MAX: integer(...policyBounds.waitingMax).default(1_000_000),
  SESSION_SECONDS: integer(...policyBounds.sessionSeconds).default(600),
  CLAIM_SECONDS: integer(...policyBounds.claimSeconds).default(90),
  ABSENT_SECONDS: integer(...policyBounds.absentSeconds).default(180),
  GRACE_SECONDS: integer(...policyBounds.graceSeconds).default(300),
  REBUILD_SECONDS: integer(1, 600).default(75),
  HOLD_SECONDS: integer(...policyBounds.holdSeconds).default(300),
  HOLD_SECONDS_MAX: integer(...policyBounds.holdSecondsMax).default(600),
  REFUND_UNTIL_SECONDS: integer(...policyBounds.refundUntilSeconds).default(86_400),
  SEATS_PER_USER_MAX: integer(...policyBounds.seatsPerUserMax).default(4),
  HOLDS_PER_SESSION_MAX: integer(...policyBounds.holdsPerSessionMax).default(30),
  STRANDED_SEATS: z.enum(orphanSeatsPolicies).default('off'),

  CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as KRW')
    .default('KRW'),
  CHARGE_MIN: integer(1, Number.MAX_SAFE_INTEGER).default(1),
  CHARGE_MAX: integer(1, Number.MAX_SAFE_INTEGER).default(10_000_000),
  BALANCE_MAX: integer(1, Number.MAX_SAFE_INTEGER).default(1_000_000_000),

  ADMISSION_TICK_MS: integer(10, 1_000).default(100),
  SURVEY_TICK_MS: integer(10, 300).default(200),
  EXPIRY_TICK_MS: integer(10, 60_000).default(1_000),
  RELAY_TICK_MS: integer(10, 60_000).default(500),

  EVENT_STREAM_MAX: integer(1_000, 10_000_000).default(100_000),
  // Longer than all retries of a delivery.
  EVENT_RETENTION_SECONDS: integer(172_800, 31_536_000).default(2_592_000),
  WEBHOOK_TIMEOUT_MS: integer(1_000, 30_000).default(15_000),
  WEBHOOK_ALLOW_NETWORKS: networks.default([]),

  DATABASE_POOL_MAX: integer(1, 500).default(10),
  DATABASE_CONNECT_TIMEOUT_MS: integer(100, 60_000).default(3_000),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 60_000).default(5_000),
  DATABASE_LOCK_TIMEOUT_MS: integer(100, 60_000).default(2_000),
  REDIS_COMMAND_TIMEOUT_MS: integer(50, 10_000).default(250),

  BODY_LIMIT_BYTES: integer(1_024, 1_048_576).default(16_384),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000).default(300),
  POLL_LIMIT_PER_MINUTE: integer(0, 1_000_000).default(120),
  JOIN_CHALLENGE: flag.default(false),
  JOIN_CHALLENGE_NUMBER_MIN: integer(1, 10_000_000).default(50_000),
  JOIN_CHALLENGE_NUMBER_MAX: integer(1, 10_000_000).default(250_000),
  JOIN_CHECK_URL: z.url({ protocol: /^https?$/ }).optional(),
  JOIN_CHECK_TIMEOUT_MS: integer(50, 10_000).default(1_000),
  JOIN_CHECK_FAILURE: z.enum(['open', 'closed']).default('closed'),
  STREAMS_MAX: integer(0, 100_000).default(5_000),
  STREAM_HEARTBEAT_SECONDS: integer(1, 60).default(15),
  EXPORTS_MAX: integer(0, 100).default(2),
  EXPORT_STALLED_SECONDS: integer(1, 3_600).default(60),
  CORS_ORIGINS: list.default([]),
  TRUST_PROXY: proxies.default(false),
  DRAIN_SECONDS: integer(0, 60).default(0),
  SHUTDOWN_SECONDS: integer(1, 300).default(8),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_SAMPLE: integer(1, 1_000_000).default(1_000),

  MIGRATE_ON_START: flag.default(false),
  SEED_DEMO: flag.default(false),
};

const schema = z
  .object(variables)
  .refine(({ CHARGE_MIN, CHARGE_MAX }) => CHARGE_MIN <= CHARGE_MAX, {
    path: ['CHARGE_MIN'],
    message: 'must not be more than CHARGE_MAX',
  })
  .refine((env) => env.JOIN_CHALLENGE_NUMBER_MIN <= env.JOIN_CHALLENGE_NUMBER_MAX, {
    path: ['JOIN_CHALLENGE_NUMBER_MIN'],
    message: 'must not be more than JOIN_CHALLENGE_NUMBER_MAX',
  })
  .refine(({ ACTIVE_MAX, ADMIT_PER_WINDOW }) => ACTIVE_MAX !== 0 || ADMIT_PER_WINDOW !== 0, {
    path: ['ACTIVE_MAX'],
    message: 'must be more than 0 while ADMIT_PER_WINDOW is 0',
    // Checked even if other settings are wrong, so that all problems are reported together.
    when: () => true,
  });

type Variables = z.infer<typeof schema>;

/** All variable names, for the test of `.env.example`. */
export const variableNames = Object.keys(variables);

export type Environment = Readonly<Record<string, string | undefined>>;
export type Config = ReturnType<typeof readConfig>;

/** Lists all missing and wrong variables at once. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  constructor(problems: readonly string[]) {
    super(`These settings are missing or wrong (see .env.example):\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
}

export function readConfig(environment: Environment) {
  // `PORT=` in an .env file means "not set", not an empty string.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(set, { error: ({ input }) => (input === undefined ? 'is missing' : undefined) });
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  const env = parsed.data;
  return {
    http: httpOf(env),
    policy: policyOf(env),
    queue: { rebuildSeconds: env.REBUILD_SECONDS },
    walletLimits: { chargeMin: env.CHARGE_MIN, chargeMax: env.CHARGE_MAX, balanceMax: env.BALANCE_MAX },
    jobs: {
      admissionTickMs: env.ADMISSION_TICK_MS,
      surveyTickMs: env.SURVEY_TICK_MS,
      expiryTickMs: env.EXPIRY_TICK_MS,
      relayTickMs: env.RELAY_TICK_MS,
      eventRetentionSeconds: env.EVENT_RETENTION_SECONDS,
    },
    joinCheck: env.JOIN_CHECK_URL ? { url: env.JOIN_CHECK_URL, timeoutMs: env.JOIN_CHECK_TIMEOUT_MS } : undefined,
    eventStream: { lengthMax: env.EVENT_STREAM_MAX },
    webhookSender: { timeoutMs: env.WEBHOOK_TIMEOUT_MS, allowNetworks: env.WEBHOOK_ALLOW_NETWORKS },
    postgres: {
      url: env.DATABASE_URL,
      poolMax: env.DATABASE_POOL_MAX,
      connectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: env.DATABASE_LOCK_TIMEOUT_MS,
    },
    redis: { ...env.REDIS_URL, commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS },
    migrateOnStart: env.MIGRATE_ON_START,
    seedDemo: env.SEED_DEMO,
    drainSeconds: env.DRAIN_SECONDS,
    shutdownSeconds: env.SHUTDOWN_SECONDS,
    logLevel: env.LOG_LEVEL,
  };
}

const httpOf = (env: Variables) =>
  ({
    host: env.HOST,
    port: env.PORT,
    bodyLimitBytes: env.BODY_LIMIT_BYTES,
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    pollLimitPerMinute: env.POLL_LIMIT_PER_MINUTE,
    logSample: env.LOG_SAMPLE,
    corsOrigins: env.CORS_ORIGINS,
    trustProxy: env.TRUST_PROXY,
    currency: env.CURRENCY,
    identity: { secret: env.ACCESS_TOKEN_SECRET, seconds: env.ACCESS_TOKEN_SECONDS },
    queueTokenKeys: env.QUEUE_TOKEN_KEYS,
    adminKeys: env.ADMIN_KEYS,
    joinChallenge: env.JOIN_CHALLENGE
      ? { numberMin: env.JOIN_CHALLENGE_NUMBER_MIN, numberMax: env.JOIN_CHALLENGE_NUMBER_MAX }
      : undefined,
    joinCheckFailure: env.JOIN_CHECK_FAILURE,
    streams: { max: env.STREAMS_MAX, heartbeatSeconds: env.STREAM_HEARTBEAT_SECONDS },
    exports: { max: env.EXPORTS_MAX, stalledMs: env.EXPORT_STALLED_SECONDS * 1_000 },
  }) as const;

/** The policy of a concert that sets none of its own. */
const policyOf = (env: Variables) => ({
  opening: env.OPENING,
  opensAt: null,
  activeMax: env.ACTIVE_MAX,
  admitPerWindow: env.ADMIT_PER_WINDOW,
  windowSeconds: env.WINDOW_SECONDS,
  paused: false,
  waitingMax: env.WAITING_MAX,
  sessionSeconds: env.SESSION_SECONDS,
  claimSeconds: env.CLAIM_SECONDS,
  absentSeconds: env.ABSENT_SECONDS,
  graceSeconds: env.GRACE_SECONDS,
  holdSeconds: env.HOLD_SECONDS,
  holdSecondsMax: env.HOLD_SECONDS_MAX,
  refundUntilSeconds: env.REFUND_UNTIL_SECONDS,
  seatsPerUserMax: env.SEATS_PER_USER_MAX,
  holdsPerSessionMax: env.HOLDS_PER_SESSION_MAX,
  strandedSeats: env.STRANDED_SEATS,
});
