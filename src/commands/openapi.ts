import { writeFile } from 'node:fs/promises';
import { openApiDocument } from '#adapters/http/openapi/document.ts';

const file = new URL('../../docs/reference/openapi.json', import.meta.url);
await writeFile(file, `${JSON.stringify(await openApiDocument(), null, 2)}\n`);
console.log(`Wrote ${file.pathname}`);
