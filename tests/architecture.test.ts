import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The floors of the house (`docs/design/architecture.md`): who may import whom, and how it is written. The rules are fed with
// what they forbid, too, so that a rule that has gone blind is noticed.

type Floor = {
  /** The other floors that it may import from. */
  readonly floors: readonly string[];
  /** The packages that it may import; `node:` stands for what comes with Node. */
  readonly packages: readonly string[];
  /** Whether its files may not import each other, apart from steps. */
  readonly secluded?: true;
};

const CORE = ['domain', 'ports'];
const FLOORS: Readonly<Record<string, Floor>> = {
  domain: { floors: [], packages: [] },
  ports: { floors: ['domain'], packages: [] },
  // A use case that calls another hides a step of its story.
  'use-cases': { floors: CORE, packages: [], secluded: true },
  'adapters/redis': { floors: [...CORE, 'adapters/memory'], packages: ['node:', 'ioredis', 'redlock'] },
  'adapters/postgres': {
    floors: [...CORE, 'adapters/memory'],
    packages: ['node:', 'pg', '@prisma/adapter-pg', '@prisma/client'],
  },
  'adapters/http': {
    floors: [...CORE, 'use-cases', 'adapters/memory'],
    packages: [
      'node:',
      'fastify',
      '@fastify/cors',
      '@fastify/helmet',
      '@fastify/swagger',
      '@fastify/swagger-ui',
      'fastify-type-provider-zod',
      'jose',
      'pino',
      'zod',
    ],
  },
  'adapters/jobs': { floors: [...CORE, 'use-cases'], packages: [] },
  'adapters/ids': { floors: [], packages: ['node:', 'uuid'] },
  // The shapes of caches and batches, which the other adapters share.
  'adapters/memory': { floors: [], packages: ['node:'] },
  'adapters/webhooks': { floors: CORE, packages: ['node:'] },
  // The entry of `npm start`, which makes the surroundings of main. Nobody imports it.
  local: { floors: ['config', 'main'], packages: ['node:'] },
  // Programs. Nobody imports them.
  commands: {
    floors: [...CORE, 'adapters/http', 'adapters/postgres', 'adapters/redis', 'config'],
    packages: ['node:', 'openapi-backend', 'pg'],
  },
  config: { floors: ['domain'], packages: ['zod'] },
  main: {
    floors: [
      ...CORE,
      'adapters/redis',
      'adapters/postgres',
      'adapters/http',
      'adapters/jobs',
      'adapters/ids',
      'adapters/webhooks',
      'config',
    ],
    packages: ['node:', 'pino'],
  },
};

/** Features go across the floors: the same names everywhere. The other rooms hold what the features of a floor share. */
const FEATURES = ['queue', 'booking', 'catalog', 'wallet', 'events', 'records'];
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: FEATURES,
  ports: FEATURES,
  'use-cases': [...FEATURES, 'steps'],
  'adapters/http': [...FEATURES, 'guards', 'openapi', 'logging'],
  'adapters/redis': ['client', 'queue', 'seats', 'limits', 'events'],
  'adapters/postgres': [...FEATURES, 'client', 'install'],
  'adapters/jobs': [],
  'adapters/ids': [],
  'adapters/memory': [],
  'adapters/webhooks': [],
  commands: ['audits'],
  local: [],
  config: [],
  main: [],
};

/** Who may look something up by a computed name, which no rule here can follow, and what it is. */
const LOOKUPS = [
  // The Postgres binaries, whose package is named after the platform.
  'local/postgres-binaries.ts',
];
const readsEnvironment = (path: string) =>
  path === 'main.ts' || path.startsWith('commands/') || path.startsWith('local/');
const KEYS = 'adapters/redis/keys.ts';

type Source = { readonly path: string; readonly text: string };
type Import = { readonly written: string };

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const sources: Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  // Written by Prisma, not by us.
  .filter((path) => !path.startsWith('adapters/postgres/generated/'))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

const IMPORT = /^import\s+(?:type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
const EXPORT_FROM = /^export\s+(?:type\s+)?(?:\*|\{)[^'";]*?\sfrom\s+['"]([^'"]+)['"]/gm;

function importsOf({ text }: Source): Import[] {
  const code = withoutComments(text);
  const imported = [...code.matchAll(IMPORT)].map(([, written, dynamic]) => ({ written: written ?? dynamic ?? '' }));
  const exported = [...code.matchAll(EXPORT_FROM)].map(([, written = '']) => ({ written }));
  return [...imported, ...exported];
}

/** The file of ours that an import names, from `src` on; undefined if it names a package. */
function targetOf({ path }: Source, { written }: Import): string | undefined {
  if (written === '#main') return 'main.ts';
  if (written.startsWith('#')) return written.slice(1);
  return written.startsWith('.') ? join(dirname(path), written) : undefined;
}

function floorOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'adapters' ? `${first}/${second}` : first.replace(/\.ts$/, '');
}

/** The folder of a floor that a file stands in; undefined if in none. */
function roomOf(path: string): string | undefined {
  const [room, ...rest] = path.slice(floorOf(path).length + 1).split('/');
  return rest.length > 0 ? room : undefined;
}

function complaintsAboutPlace({ path }: Source): string[] {
  const [floor, room] = [floorOf(path), roomOf(path)];
  return room === undefined || ROOMS[floor]?.includes(room) ? [] : [`${room} is no room of ${floor}`];
}

function packageOf(written: string): string {
  if (written.startsWith('node:')) return 'node:';
  return written
    .split('/')
    .slice(0, written.startsWith('@') ? 2 : 1)
    .join('/');
}

function complaintsAboutImport(source: Source, imported: Import): string[] {
  const { written } = imported;
  const own = floorOf(source.path);
  const floor = FLOORS[own];
  if (floor === undefined) return [`${own} is no floor of the house`];
  const target = targetOf(source, imported);

  if (target === undefined) {
    const name = packageOf(written);
    return floor.packages.includes(name) ? [] : [`${own} may not import the package ${name}`];
  }
  if (written.startsWith('..')) return [`${written} goes up: write it with #`];
  const theirs = floorOf(target);
  if (theirs !== own) {
    const spelled = written.startsWith('#') ? [] : [`${written} crosses a floor: write it with #`];
    return floor.floors.includes(theirs) ? spelled : [`${own} may not import from ${theirs}`, ...spelled];
  }
  const isStep = target.startsWith('use-cases/steps/');
  if (floor.secluded && !isStep) return [`${written}: a file of ${own} may not import another`];
  const near = !relative(dirname(source.path), target).startsWith('..');
  return near && written.startsWith('#') ? [`${written} is near: write it with ./`] : [];
}

function complaintsAboutTypeScript(source: Source): string[] {
  const { path, text } = source;
  const code = withoutComments(text);
  return [
    ...importsOf(source).flatMap((imported) => complaintsAboutImport(source, imported)),
    ...[...code.matchAll(EXPORT_FROM)].map(([, from]) => `passes on what ${from} exports: no barrels`),
    ...(/\bcreateRequire\b|\bimport\((?!\s*['"])/.test(code) && !LOOKUPS.includes(path)
      ? ['looks a dependency up by a computed name']
      : []),
    ...(/\bprocess\.env\b/.test(code) && !readsEnvironment(path)
      ? ['reads process.env: settings are handed down']
      : []),
    ...(floorOf(path) === 'adapters/redis' && path !== KEYS && /frontrow:|\{\$\{|\bPREFIX\b/.test(code)
      ? [`makes up a key: only ${KEYS} does`]
      : []),
  ];
}

function complaintsAboutLua({ text }: Source): string[] {
  const code = text.replace(/--.*$/gm, '');
  return [
    ...(/^-- [A-Z].{10,}/.test(text) && /^-- (?:.*\. )?Replies /m.test(text)
      ? []
      : ['has no header that says what it does and what it replies']),
    ...(/\bcall\(\s*['"](?:KEYS|SCAN)['"]/i.test(code) ? ['walks through all keys of Redis'] : []),
    ...(/\bcall\(\s*['"](?!INFO)\w+['"]\s*,\s*['"]/.test(code) ? ['makes up a key: all come in KEYS'] : []),
    ...(/\bwhile\b|\brepeat\b/.test(code) ? ['has a loop without a bound'] : []),
  ];
}

function complaintsAboutSql({ path, text }: Source): string[] {
  const name = /(\w+)\.sql$/.exec(path)?.[1] ?? '';
  const [header = ''] = /^(?:--.*\n)+/.exec(text) ?? [];
  return [
    ...(header.startsWith(`-- ${name}: `) && /\b(?:Locks|Replies) /.test(header)
      ? []
      : ['has no header that says what it does, locks and replies']),
    ...(text.match(/^CREATE FUNCTION /gm)?.length === 1 ? [] : ['creates more or less than one function']),
    ...(/\bnow\(\)|\bCURRENT_TIMESTAMP\b/i.test(text) ? ['goes by the time at which the transaction began'] : []),
  ];
}

function complaintsAboutFile(source: Source): string[] {
  if (source.path.endsWith('.ts')) return complaintsAboutTypeScript(source);
  return source.path.endsWith('.sql') ? complaintsAboutSql(source) : complaintsAboutLua(source);
}

/** The files that import each other in a circle, if any do. */
function circleIn(files: readonly Source[]): string[] {
  const byPath = new Map(files.map((source) => [source.path, source]));
  const done = new Set<string>();

  function search(path: string, way: readonly string[]): string[] {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    const source = byPath.get(path);
    if (source === undefined || done.has(path)) return [];
    for (const imported of importsOf(source)) {
      const circle = search(targetOf(source, imported) ?? '', [...way, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  }
  return files.map(({ path }) => search(path, [])).find((circle) => circle.length > 0) ?? [];
}

function complaints(files: readonly Source[]): string[] {
  const circle = circleIn(files);
  return [
    ...files.flatMap((source) =>
      [...complaintsAboutPlace(source), ...complaintsAboutFile(source)].map(
        (complaint) => `${source.path}: ${complaint}`,
      ),
    ),
    ...(circle.length > 0 ? [`a circle: ${circle.join(' → ')}`] : []),
  ];
}

describe('the source', () => {
  it('keeps to the floors of the house', () => {
    expect(complaints(sources)).toEqual([]);
  });

  it('was read: every floor has files, and they import', () => {
    expect(new Set(sources.map(({ path }) => floorOf(path)))).toEqual(new Set(Object.keys(FLOORS)));
    expect(sources.filter(({ path }) => path.endsWith('.lua')).length).toBeGreaterThan(5);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(200);
    expect(sources.filter(({ path }) => path.endsWith('.sql')).length).toBeGreaterThan(20);
    expect(sources.every(({ path }) => /\.(ts|lua|sql)$/.test(path))).toBe(true);
  });

  it('uses every package that the table allows', () => {
    for (const [name, { packages }] of Object.entries(FLOORS)) {
      const files = sources.filter(({ path }) => floorOf(path) === name);
      const used = new Set(files.flatMap(importsOf).map(({ written }) => packageOf(written)));
      // Prisma's generated client, which is not read here, imports it.
      used.add('@prisma/client');
      expect(packages.filter((allowed) => !used.has(allowed))).toEqual([]);
    }
  });
});

describe('an error is reported when', () => {
  const forbidden: readonly (readonly [what: string, path: string, text: string, complaint: string])[] = [
    [
      'the domain imports a port',
      'domain/a.ts',
      "import type { P } from '#ports/index.ts';",
      'may not import from ports',
    ],
    ['the domain imports a package', 'domain/a.ts', "import { z } from 'zod';", 'may not import the package zod'],
    ['the domain imports from Node', 'domain/a.ts', "import { hash } from 'node:crypto';", 'the package node:'],
    [
      'a port imports an adapter',
      'ports/a.ts',
      "import { r } from '#adapters/redis/seats/redis-lock.ts';",
      'from adapters/redis',
    ],
    [
      'a use case imports an adapter',
      'use-cases/a.ts',
      "import { r } from '#adapters/http/catalog/etag.ts';",
      'from adapters/http',
    ],
    ['a use case imports another', 'use-cases/a.ts', "import { pay } from './pay.ts';", 'may not import another'],
    [
      'and by its full name',
      'use-cases/a.ts',
      "import { pay } from '#use-cases/booking/pay.ts';",
      'may not import another',
    ],
    [
      'a step imports a use case',
      'use-cases/steps/a.ts',
      "import { pay } from '#use-cases/booking/pay.ts';",
      'may not import another',
    ],
    ['a use case imports a package', 'use-cases/a.ts', "import pg from 'pg';", 'may not import the package pg'],
    [
      'a driven adapter imports another',
      'adapters/redis/a.ts',
      "import { g } from '#adapters/postgres/client/failures.ts';",
      'from adapters/postgres',
    ],
    [
      'a driving adapter imports a driven one',
      'adapters/http/a.ts',
      "import { l } from '#adapters/redis/seats/redis-lock.ts';",
      'from adapters/redis',
    ],
    [
      'a driven adapter calls a use case',
      'adapters/postgres/a.ts',
      "import { pay } from '#use-cases/booking/pay.ts';",
      'from use-cases',
    ],
    [
      'an adapter imports the library of another',
      'adapters/redis/a.ts',
      "import { Pool } from 'pg';",
      'the package pg',
    ],
    [
      'HTTP imports more than the type of Redis',
      'adapters/http/a.ts',
      "import { Redis } from 'ioredis';",
      'the package ioredis',
    ],
    [
      'an adapter imports an unknown package',
      'adapters/http/a.ts',
      "import x from '@fastify/autoload';",
      '@fastify/autoload',
    ],
    [
      'a package is imported by a path inside it',
      'domain/a.ts',
      "import x from '@scope/name/inner.js';",
      'package @scope/name',
    ],
    ['an adapter imports main', 'adapters/jobs/a.ts', "import '#main';", 'may not import from main'],
    ['main imports local', 'main.ts', "import '#local/services.ts';", 'may not import from local'],
    [
      'an adapter imports the settings',
      'adapters/redis/a.ts',
      "import { readConfig } from '#config/config.ts';",
      'may not import from config',
    ],
    [
      'an adapter imports local',
      'adapters/postgres/a.ts',
      "import { s } from '#local/services.ts';",
      'may not import from local',
    ],
    [
      'local imports an adapter',
      'local/a.ts',
      "import { m } from '#adapters/postgres/install/migrate.ts';",
      'from adapters/postgres',
    ],
    [
      'the source imports a test',
      'domain/a.ts',
      "import { f } from '#tests/fakes/no-lock.ts';",
      'may not import from tests',
    ],
    ['an import goes up', 'adapters/http/wallet/a.ts', "import { k } from '../kit.ts';", 'goes up'],
    ['an import crosses a floor upwards', 'use-cases/a.ts', "import { m } from '../domain/money.ts';", 'goes up'],
    [
      'an import inside a room is written with #',
      'domain/a.ts',
      "import type { M } from '#domain/wallet/money.ts';",
      'is near',
    ],
    ['main reaches for a floor with ./', 'main.ts', "import { c } from './config/config.ts';", 'crosses a floor'],
    [
      'a floor imports a command',
      'adapters/http/a.ts',
      "import { a } from '#commands/audits/audit-books.ts';",
      'may not import from commands',
    ],
    ['a room is no feature', 'domain/helpers/a.ts', '', 'helpers is no room of domain'],
    ['a file is on no floor', 'helpers/a.ts', "import { x } from './b.ts';", 'is no floor'],
    ['an import runs over several lines', 'domain/a.ts', "import {\n  a,\n  b,\n} from 'pg';", 'the package pg'],
    ['an import has no names', 'domain/a.ts', "import 'pg';", 'the package pg'],
    ['an import is dynamic', 'domain/a.ts', "const pg = await import('pg');", 'the package pg'],
    ['an import is computed', 'adapters/http/a.ts', 'const x = await import(name);', 'computed name'],
    ['a package is required', 'adapters/http/a.ts', "import { createRequire } from 'node:module';", 'computed name'],
    ['a file re-exports another', 'ports/a.ts', "export { x } from './lock.ts';", 'no barrels'],
    ['a file re-exports all of another', 'ports/a.ts', "export * from './lock.ts';", 'no barrels'],
    ['a file re-exports types', 'ports/a.ts', "export type { Lock } from './lock.ts';", 'no barrels'],
    ['the environment is read by an adapter', 'adapters/http/a.ts', 'const x = process.env.PORT;', 'reads process.env'],
    ['the environment is read by the settings', 'config/config.ts', 'const x = process.env;', 'reads process.env'],
    ['a key is made up', 'adapters/redis/a.ts', `redis.get(\`frontrow:{\${id}}\`);`, 'makes up a key'],
    ['a hash tag is made up', 'adapters/redis/a.ts', `redis.get(\`x:{\${id}}\`);`, 'makes up a key'],
    ['a script has no header', 'adapters/redis/seats/lua/a.lua', 'return 1', 'has no header'],
    [
      'a script does not say what it replies',
      'adapters/redis/seats/lua/a.lua',
      '-- Does something for somebody.\nreturn 1',
      'has no header',
    ],
    ['a script makes up a key', 'adapters/redis/seats/lua/a.lua', "redis.call('GET', 'frontrow:x')", 'makes up a key'],
    ['a script scans', 'adapters/redis/seats/lua/a.lua', "redis.call('SCAN', cursor)", 'walks through all keys'],
    ['a script loops without a bound', 'adapters/redis/seats/lua/a.lua', 'while true do end', 'has a loop'],
    [
      'a SQL function has no header of its own',
      'adapters/postgres/booking/sql/a.sql',
      '-- b: holds seats. Replies nothing.\nCREATE FUNCTION a()',
      'has no header',
    ],
    [
      'a SQL function does not say what it replies',
      'adapters/postgres/booking/sql/a.sql',
      '-- a: holds seats.\nCREATE FUNCTION a()',
      'has no header',
    ],
    [
      'a file has two SQL functions',
      'adapters/postgres/booking/sql/a.sql',
      '-- a: holds. Replies.\nCREATE FUNCTION a()\nCREATE FUNCTION b()',
      'more or less than one',
    ],
    [
      'a SQL function reads the start time of the transaction',
      'adapters/postgres/booking/sql/a.sql',
      'held_until < now()',
      'the transaction began',
    ],
  ];

  it.each(forbidden)('%s', (_, path, text, complaint) => {
    expect(complaints([{ path, text }]).join('\n')).toContain(complaint);
  });

  it('files import each other in a circle', () => {
    const circle = [
      { path: 'domain/a.ts', text: "import type { B } from './b.ts';" },
      { path: 'domain/b.ts', text: "import type { C } from './c.ts';" },
      { path: 'domain/c.ts', text: "import type { A } from './a.ts';" },
    ];
    expect(complaints(circle)).toEqual(['a circle: domain/a.ts → domain/b.ts → domain/c.ts → domain/a.ts']);
    expect(complaints(circle.slice(1))).toEqual([]);
  });
});

describe('no error is reported when', () => {
  const allowed: readonly (readonly [what: string, path: string, text: string])[] = [
    [
      'a use case imports domain and ports',
      'use-cases/a.ts',
      "import type { Ports } from '#ports/index.ts';\nimport { Refusal } from '#domain/errors.ts';",
    ],
    [
      'a file in a folder of a room reaches up in that room by #',
      'adapters/http/wallet/a.ts',
      "import type { Kit } from '#adapters/http/kit.ts';",
    ],
    ['a file reaches down in its room', 'adapters/http/a.ts', "import { paymentRoutes } from './booking/payments.ts';"],
    [
      'main reads the environment and imports everything',
      'main.ts',
      "import { readConfig } from '#config/config.ts';\nimport '#adapters/ids/new-id.ts';\nreadConfig(process.env);",
    ],
    ['a comment speaks of an import', 'domain/a.ts', "// import { x } from 'pg';\n/* import 'pg'; process.env */\n"],
  ];

  it.each(allowed)('%s', (_, path, text) => {
    expect(complaints([{ path, text }])).toEqual([]);
  });
});
