// npm run db:migrate [-- --service-role <role>]
import { parseArgs } from 'node:util';
import { grantService } from '#adapters/postgres/install/grant-service.ts';
import { migrate } from '#adapters/postgres/install/migrate.ts';

const databaseUrl = process.env.DATABASE_URL;
if (databaseUrl) {
  try {
    const { values } = parseArgs({ options: { 'service-role': { type: 'string' } } });
    const { migrations, functions } = await migrate(databaseUrl);
    const done = migrations.map((name) => `Applied ${name}.`);
    if (functions !== undefined) done.push(`Installed the SQL functions as ${functions}.`);
    console.log(done.length === 0 ? 'Nothing to do.' : done.join('\n'));
    const role = values['service-role'];
    if (role !== undefined) {
      await grantService(databaseUrl, role);
      console.log(`${role} may do what the service does.`);
    }
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
} else {
  console.error(
    'DATABASE_URL is not set. Which database? For example DATABASE_URL=postgres://user:password@localhost:5432/frontrow\n' +
      'Without a database of your own, `npm start` runs one and migrates it.',
  );
  process.exitCode = 1;
}
