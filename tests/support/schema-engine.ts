import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';

/** As much of the global as is used here: its types come with those of the browser only. */
declare const WebAssembly: {
  instantiate(
    code: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

/** The engine's word for "leave no table and no enum out". */
export const EVERYTHING = { externalTables: [], externalEnums: [] };

let loading: Promise<void> | undefined;

/**
 * The engine behind `prisma migrate`, as WebAssembly: the same as the binary which the command line downloads, without
 * the download.
 */
export async function schemaEngine(database: PrismaPg): Promise<glue.SchemaEngine> {
  loading ??= load();
  await loading;
  return glue.SchemaEngine.new({ datamodels: undefined }, ignoreLog, bindMigrationAwareSqlAdapterFactory(database));
}

/**
 * What the package's main file does with `import … from '….wasm'`, which Node 24 still calls an experiment, in a warning
 * at every start. Once per process: the glue holds one instance.
 */
async function load(): Promise<void> {
  const besides = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = await readFile(join(dirname(besides), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': { ...glue, ...timersLetGo() } });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  // The engine reports a panic here before it stops. Without it the error would be about the missing global.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panic } });
}

/** The engine does not take its time limits back: none of them is to keep the process going for ten seconds more. */
function timersLetGo(): Record<string, (work: () => void, milliseconds: number) => NodeJS.Timeout> {
  const names = Object.keys(glue).filter((name) => name.startsWith('__wbg_setTimeout_'));
  return Object.fromEntries(
    names.map((name) => [name, (work, milliseconds) => setTimeout(work, milliseconds).unref()]),
  );
}

function panic(message: string): never {
  throw new Error(`Prisma's schema engine panicked: ${message}`);
}

function ignoreLog(): void {
  // Its lines say that it starts and what it was asked; what matters comes as an error.
}
