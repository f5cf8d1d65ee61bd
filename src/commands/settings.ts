// npm run settings: writes docs/reference/settings.md from .env.example, which a unit test compares with src/config. With
// --check it writes nothing and fails if the two differ.
import { readFileSync, writeFileSync } from 'node:fs';

const SOURCE = new URL('../../.env.example', import.meta.url);
const DOCUMENT = new URL('../../docs/reference/settings.md', import.meta.url);

const HEAD = `<!-- Written by src/commands/settings.ts from .env.example: npm run settings -->

# Settings

Settings are environment variables. The service also reads \`.env\` from the folder in which it is started; copy
[.env.example](../../.env.example) to begin with. A variable of the environment precedes the one in \`.env\`, and an empty value counts
as not set. If a setting is missing or wrong, the service names all such settings and exits with code 1.

\`npm start\` needs none of them. Without \`DATABASE_URL\` it starts a Postgres of its own, without \`REDIS_URL\` a Redis of its own. Then it
makes the secrets once and keeps all data in the folder that \`DATA_DIR\` names (\`.data\`). With both URLs set, \`DATA_DIR\` is not used
and all settings without a default are required.

`;
const FIRST_SECTION = '# --- ';

const example = readFileSync(SOURCE, 'utf8');
const sections = blocksOf(example.slice(example.indexOf(FIRST_SECTION)));
const written = `${HEAD}${sections.map(render).join('\n\n')}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(DOCUMENT, written);
} else if (readFileSync(DOCUMENT, 'utf8') !== written) {
  console.error('docs/reference/settings.md differs from .env.example: npm run settings');
  process.exitCode = 1;
}

/** Paragraphs without their comment signs. */
function blocksOf(text: string): string[][] {
  return text
    .trim()
    .split(/\n\n+/)
    .map((block) => block.split('\n').map((line) => line.replace(/^# ?/, '')))
    .flatMap(splitAtEmptyLines);
}

function splitAtEmptyLines(lines: readonly string[]): string[][] {
  const end = lines.indexOf('');
  return end === -1 ? [[...lines]] : [lines.slice(0, end), ...splitAtEmptyLines(lines.slice(end + 1))];
}

/** A block is the title of a section, a setting below its description, or text. */
function render(lines: readonly string[]): string {
  const last = lines.at(-1) ?? '';
  const title = /^--- (.+) ---$/.exec(last)?.[1];
  if (title !== undefined) return `## ${title.charAt(0).toUpperCase()}${title.slice(1)}`;
  const [, name, value] = /^([A-Z][A-Z\d_]*)=(.*)$/.exec(last) ?? [];
  if (name === undefined) return lines.join('\n');
  const byDefault = value === '' ? 'No default.' : `Default: \`${value}\`.`;
  const description = lines
    .slice(0, -1)
    .join('\n')
    .replace(/ No default \(see above\)\.| \(see above\)/g, '');
  return `### ${name}\n\n${byDefault} ${description}`;
}
