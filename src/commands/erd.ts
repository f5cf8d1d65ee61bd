// npm run erd: writes docs/design/erd.md from prisma/schema.prisma. With --check it writes nothing, and fails if the two
// differ.
//
// Prisma 7 gives its model of the schema to generators only, and the model in the generated client lacks keys and
// nullability. So the schema is parsed here line by line. A line that does not parse is an error, and the generated
// client must agree on every model and column.
import { readFileSync, writeFileSync } from 'node:fs';
import { Prisma } from '#adapters/postgres/generated/client.ts';

const SCHEMA = new URL('../../prisma/schema.prisma', import.meta.url);
const DOCUMENT = new URL('../../docs/design/erd.md', import.meta.url);

type Column = { readonly field: string; readonly name: string; readonly type: string; readonly optional: boolean };
type Relation = { readonly to: string; readonly fields: readonly string[]; readonly optional: boolean };
type Model = {
  readonly name: string;
  readonly comment: readonly string[];
  table: string;
  readonly columns: Column[];
  readonly relations: Relation[];
  /** Field names; the first one is the primary key. */
  readonly keys: (readonly string[])[];
};
type Enum = { readonly name: string; type: string; readonly values: string[] };

const TYPES: Readonly<Record<string, string>> = {
  Boolean: 'boolean',
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Bytes: 'bytea',
  Json: 'jsonb',
};

const schema = parse(readFileSync(SCHEMA, 'utf8'));
requireAgreement(schema.models);
const written = render(schema);
if (!process.argv.includes('--check')) {
  writeFileSync(DOCUMENT, written);
} else if (readFileSync(DOCUMENT, 'utf8') !== written) {
  console.error('docs/design/erd.md does not show prisma/schema.prisma as it is: npm run erd');
  process.exitCode = 1;
}

function parse(text: string): { models: Model[]; enums: Enum[] } {
  const models: Model[] = [];
  const enums: Enum[] = [];
  let comment: string[] = [];
  let block: 'skipped' | Model | Enum | undefined;
  const later: (() => void)[] = [];

  for (const [index, untrimmed] of text.split('\n').entries()) {
    const line = untrimmed.trim();
    const misunderstood = () => new Error(`schema.prisma, line ${index + 1} is not understood: ${line}`);
    const [, kind, name = ''] = /^(model|enum|generator|datasource) (\w+) \{$/.exec(line) ?? [];

    if (line.startsWith('///')) {
      comment.push(line.slice(3).trim());
    } else if (line === '' || line.startsWith('//')) {
      if (block === undefined) comment = [];
    } else if (kind !== undefined) {
      if (kind === 'model') models.push({ name, comment, table: name, columns: [], relations: [], keys: [] });
      if (kind === 'enum') enums.push({ name, type: name, values: [] });
      block = kind === 'model' ? models.at(-1) : kind === 'enum' ? enums.at(-1) : 'skipped';
      comment = [];
    } else if (line === '}') {
      block = undefined;
    } else if (block === undefined) {
      throw misunderstood();
    } else if (block !== 'skipped') {
      const open = block;
      const mapped = /^@@map\("(\w+)"\)$/.exec(line)?.[1];
      if ('values' in open) {
        if (mapped !== undefined) open.type = mapped;
        else if (/^\w+$/.test(line)) open.values.push(line);
        else throw misunderstood();
        continue;
      }
      comment = [];
      if (mapped !== undefined) open.table = mapped;
      else if (line.startsWith('@@')) readBlockAttribute(open, line, misunderstood);
      // A field's type may be declared further down.
      else later.push(() => readField(open, line, { models, enums }, misunderstood));
    }
  }
  for (const read of later) read();
  return { models, enums };
}

function readBlockAttribute(model: Model, line: string, misunderstood: () => Error): void {
  const [, kind, fields] = /^@@(id|unique|index)\(\[([\w, ]+)\](?:, map: "\w+")?\)$/.exec(line) ?? [];
  if (fields === undefined) throw misunderstood();
  if (kind === 'id') model.keys.unshift(fields.split(', '));
  if (kind === 'unique') model.keys.push(fields.split(', '));
}

function readField(
  model: Model,
  line: string,
  { models, enums }: { models: Model[]; enums: Enum[] },
  misunderstood: () => Error,
): void {
  const [, field = '', type = '', modifier, attributes = ''] =
    /^(\w+)\s+(\w+)(\?|\[\])?(?:\s+(@.+))?$/.exec(line) ?? [];
  const optional = modifier === '?';
  const target = models.find(({ name }) => name === type);
  if (target !== undefined) {
    const fields = /^@relation\(fields: \[([\w, ]+)\], references:/.exec(attributes)?.[1];
    if (fields !== undefined) model.relations.push({ to: target.table, fields: fields.split(', '), optional });
    return;
  }
  const native = /@db\.(\w+)(?:\((\d+)\))?/.exec(attributes);
  const known = enums.find(({ name }) => name === type)?.type ?? TYPES[type];
  const columnType = native === null ? known : native[1] === 'Char' ? `char(${native[2]})` : native[1]?.toLowerCase();
  if (columnType === undefined) throw misunderstood();
  const name = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? field;
  model.columns.push({ field, name, type: modifier === '[]' ? `${columnType}[]` : columnType, optional });
  if (/@id\b/.test(attributes)) model.keys.unshift([field]);
  if (/@unique\b/.test(attributes)) model.keys.push([field]);
}

/** The parsed models must be those of the generated client. */
function requireAgreement(models: readonly Model[]): void {
  const ours = models.map(({ name, columns }) => [name, columns.map(({ field }) => field)]);
  const theirs = Object.keys(Prisma.ModelName).map((name) => [
    name,
    Object.keys(Reflect.get(Prisma, `${name}ScalarFieldEnum`) as object),
  ]);
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return;
  throw new Error(`The generated client knows other tables than those read here:\n${JSON.stringify({ theirs, ours })}`);
}

function render({ models, enums }: { models: readonly Model[]; enums: readonly Enum[] }): string {
  const commented = models.filter(({ comment }) => comment.length > 0);
  return `<!-- Written by src/commands/erd.ts from prisma/schema.prisma: npm run erd -->

# The tables

\`\`\`mermaid
erDiagram
${models.flatMap(relationLines).join('\n')}

${models.map(entity).join('\n')}
\`\`\`

${table([['Table', ''], ...commented.map(({ table, comment }) => [`\`${table}\``, comment.join(' ')])])}

${table([['Type', 'Values'], ...enums.map(({ type, values }) => [`\`${type}\``, values.join(', ')])])}

What Prisma's schema language cannot express is in the [migrations](../../prisma/migrations), beside each table: checks, partial indexes and triggers.
They allow one live reservation per seat, balances that only ledger entries change, append-only records, and transactions that sum to zero.
The SQL functions of the service are no part of the tables: each is a [file of its own](../../src/adapters/postgres).
`;
}

/** Padded like the formatter's output. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function relationLines(model: Model): string[] {
  const nameOf = (field: string) => model.columns.find((column) => column.field === field)?.name ?? field;
  return model.relations.map(({ to, fields, optional }) => {
    const single = model.keys.some((key) => key.join() === fields.join());
    return `  ${to} ${optional ? '|o' : '||'}--${single ? 'o|' : 'o{'} ${model.table} : "${fields.map(nameOf).join(', ')}"`;
  });
}

function entity({ table, columns, relations, keys }: Model): string {
  const [primary, ...unique] = keys;
  const lines = columns.map(({ field, name, type, optional }) => {
    const roles = [
      ...(primary?.includes(field) ? ['PK'] : []),
      ...(relations.some(({ fields }) => fields.includes(field)) ? ['FK'] : []),
      ...(unique.some((key) => key.join() === field) ? ['UK'] : []),
    ];
    return `    ${type} ${name}${roles.length > 0 ? ` ${roles.join(', ')}` : ''}${optional ? ' "may be null"' : ''}`;
  });
  return `  ${table} {\n${lines.join('\n')}\n  }`;
}
