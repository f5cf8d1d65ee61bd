// npm run db:seed
import { connectPostgres } from '#adapters/postgres/client/connect-postgres.ts';
import { seedDemo } from '#adapters/postgres/install/seed-demo.ts';

const url = process.env.DATABASE_URL;
if (url === undefined || url === '') {
  console.error(
    'DATABASE_URL is not set: which database? For example postgres://user:password@localhost:5432/frontrow.\n' +
      '`npm start` without it runs a Postgres of its own, with the demo concert in it.',
  );
  process.exitCode = 1;
} else {
  const settings = { url, poolMax: 1, connectTimeoutMs: 10_000, statementTimeoutMs: 60_000, lockTimeoutMs: 60_000 };
  const postgres = connectPostgres(settings, (error) => console.error(error.message));
  await seedDemo(postgres, process.env.CURRENCY || 'KRW').finally(() => postgres.close());
  console.log('The demo concert is on sale.');
}
