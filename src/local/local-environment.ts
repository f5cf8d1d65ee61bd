import { adminKeyFile, localSecrets } from './secrets.ts';
import { startLocalServices } from './services.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type LocalEnvironment = {
  readonly environment: Environment;
  /** What the person at the keyboard should know once the service is up, a line each. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
};

/** In the shape of what is filled in, so that every rule for the settings can be applied before there is anything to fill in. */
const STAND_INS = {
  DATABASE_URL: 'postgresql://127.0.0.1/frontrow',
  REDIS_URL: 'redis://127.0.0.1',
  ACCESS_TOKEN_SECRET: '-'.repeat(43),
  QUEUE_TOKEN_KEYS: `local:${'-'.repeat(43)}`,
};

/** What `localEnvironment` would come to: a bad setting is to be told before a server is installed or started. */
export function foreseenEnvironment(given: Environment): Environment {
  return given.DATABASE_URL && given.REDIS_URL ? given : { ...STAND_INS, ...named(given) };
}

/**
 * Fills in what the environment does not name, so that `npm start` works on a bare machine: servers of our own, secrets
 * made once, the demo. With both URLs set nothing is filled in and nothing is touched.
 */
export async function localEnvironment(given: Environment, say: (line: string) => void): Promise<LocalEnvironment> {
  const dataDir = given.DATA_DIR || '.data';
  const postgres = !given.DATABASE_URL;
  const redis = !given.REDIS_URL;
  if (!postgres && !redis) return { environment: given, notes: [], stop: async () => {} };

  const services = await startLocalServices({ dataDir, durable: true, postgres, redis, say });
  try {
    const filledIn = {
      ...(await localSecrets(dataDir)),
      ...(services.databaseUrl && { DATABASE_URL: services.databaseUrl, MIGRATE_ON_START: 'true', SEED_DEMO: 'true' }),
      ...(services.redisUrl && { REDIS_URL: services.redisUrl }),
    };
    const servers = [...(postgres ? ['Postgres'] : []), ...(redis ? ['Redis'] : [])].join(' and ');
    return {
      environment: { ...filledIn, ...named(given) },
      notes: [
        ...(given.ADMIN_KEYS ? [] : [`Admin    the key for /v1/admin is in ${adminKeyFile(dataDir)}`]),
        `It runs on its own ${servers}, with data in ${dataDir}. Ctrl-C ends all of it.`,
      ],
      stop: services.stop,
    };
  } catch (error) {
    await services.stop();
    throw error;
  }
}

/** `REDIS_URL=` in an .env file means "not set". */
function named(given: Environment): Environment {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
}
