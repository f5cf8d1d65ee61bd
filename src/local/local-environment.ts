import { adminKeyFile, localSecrets } from './secrets.ts';
import { startLocalServices } from './services.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type LocalEnvironment = {
  readonly environment: Environment;
  /** Printed for the user once the service is up, a line each. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
};

/** Placeholders of the right format, so that settings can be validated before servers and secrets exist. */
const STAND_INS = {
  DATABASE_URL: 'postgresql://127.0.0.1/frontrow',
  REDIS_URL: 'redis://127.0.0.1',
  ACCESS_TOKEN_SECRET: '-'.repeat(43),
  QUEUE_TOKEN_KEYS: `local:${'-'.repeat(43)}`,
};

/**
 * The environment as `localEnvironment` will complete it, so that a wrong setting is reported before a server is
 * installed or started.
 */
export function foreseenEnvironment(given: Environment): Environment {
  return given.DATABASE_URL && given.REDIS_URL ? given : { ...STAND_INS, ...named(given) };
}

/**
 * Completes the environment so that `npm start` works on a bare machine: local servers, generated secrets, demo data.
 * With both URLs set it changes nothing.
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
