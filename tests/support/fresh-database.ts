import { afterAll, inject } from 'vitest';
import { copyDatabase } from './database.ts';

/**
 * A migrated, empty database for one test file, dropped when the file has ended. Called at the top of the file, where
 * hooks are registered: `const databaseUrl = await freshDatabase();`
 */
export async function freshDatabase(): Promise<string> {
  const database = await copyDatabase(inject('databaseUrl'), inject('databaseTemplate'));
  afterAll(database.drop);
  return database.databaseUrl;
}
