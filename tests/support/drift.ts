import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { Pool } from 'pg';
import { EVERYTHING, schemaEngine } from './schema-engine.ts';

const SCHEMA = new URL('../../prisma/schema.prisma', import.meta.url);

/**
 * The SQL that would turn the database into what `prisma/schema.prisma` describes; empty if it is that already. It sees
 * what the schema can say: checks, triggers, functions and partial indexes it does not.
 */
export async function driftOf(databaseUrl: string): Promise<string> {
  const files = [{ path: fileURLToPath(SCHEMA), content: await readFile(SCHEMA, 'utf8') }];
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  // Its database may be dropped while it hangs up.
  pool.on('error', () => {});
  try {
    const engine = await schemaEngine(new CatalogueReader(pool));
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: fileURLToPath(new URL('.', SCHEMA)) },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: EVERYTHING,
    });
    return exitCode === 0 ? '' : (stdout ?? '');
  } finally {
    await pool.end();
  }
}

/** The columns of the engine's catalogue queries whose type is Postgres' one-byte "char", and where they are selected. */
const CHAR_COLUMNS = ['constraint_type', 'confdeltype', 'confupdtype'];
const SELECTED = /\b(constr\.contype(?= AS )|con\.confdeltype|con\.confupdtype)/g;

/** Prisma's adapter cannot read "char", which the engine expects: it travels as text and is declared when it arrives. */
class CatalogueReader extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw({ ...query, sql: query.sql.replace(SELECTED, '$1::text') });
      for (const [index, name] of result.columnNames.entries()) {
        if (CHAR_COLUMNS.includes(name)) result.columnTypes[index] = ColumnTypeEnum.Character;
      }
      return result;
    };
    return adapter;
  }
}
