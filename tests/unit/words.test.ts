import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// One word per thing: the glossary's retired words are in no identifier and no file name of the source. Comments and texts
// are not read here.

/** By the word to use. An identifier is matched in kebab case: `lineKey` as `line-key`, `AFTERMATH_LEASE` as `aftermath-lease`. */
const RETIRED: Readonly<Record<string, RegExp>> = {
  queue: /^line-(key|state|report|figures|opens|record)|waiting-room/,
  'queue entry': /^place-of$|-places?-in-line/,
  'queue status': /\bstandings?\b/,
  head: /\bfrontier\b/,
  'last seen': /\bpresence\b/,
  absent: /\b(passed-away|away-since)\b/,
  'hold key': /\b(hold|seat)-marks?\b|\bmarks\b/,
  'acquire (a hold key), queue entry, payload (of a queue token)': /\bclaim(s|ed|er|ing)?\b/,
  'idempotency key': /\b(request|command)-keys?\b/,
  'orphan seat': /\bstrand(s|ed|ing)?\b/,
  'outbox message': /\baftermaths?\b/,
  'delivery, attempt': /\b(couriers?|parcels?|letters?|verdicts?)\b/,
  'lease, fencing token': /\bturn-(key|lease|holder)\b|^terms?$|\bterm-(id|seconds|number)\b/,
  'ack, retry later': /\b(settle|settles|unsettled|defer|deferred)\b/,
  'cache, batch, single flight': /\b(glances?|gather(s|ed|er|ing)?|hand-?outs?|share-reads)\b/,
};

const ALLOWED: Readonly<Record<string, string>> = {
  strandedSeats: 'a field of the policy, and so of the HTTP contract',
  strandedSeatNumbers: 'a field of a reservation in the HTTP contract',
  STRANDED_SEATS: 'the setting with the default of that policy',
  'seat-stranded': 'a problem code of the HTTP contract',
  claimSeconds: 'the time that an admitted entry has for its first sign of life',
  CLAIM_SECONDS: 'the setting with its default',
  claimMs: 'the same as an argument of admit.lua',
  claim_ms: 'the same in admit.lua',
  claimed_by: 'until when, in admit.lua',
  claim_session: 'the first sign of life itself, in find.lua',
  Claims: 'of a JWT (RFC 7519)',
  claims: 'of a JWT',
  claimsIn: 'of a JWT',
  areClaims: 'of a JWT',
  requiredClaims: 'an option of jose',
  letters: 'of the alphabet, in the error of a setting',
  frontier: 'a field of the HTTP contract, written in adapters/http/queue only',
};

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|lua|sql)$/.test(path) && !path.startsWith('adapters/postgres/generated/'))
  .map((path) => ({ path, text: readFileSync(`${SRC}${path}`, 'utf8') }));

const kebab = (name: string) =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** The names in a file and of it, without comments and quoted texts. */
function namesIn({ path, text }: (typeof files)[number]): string[] {
  const comments = path.endsWith('.ts') ? /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm : /--.*$/gm;
  const code = text.replace(comments, '').replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, '');
  return [...new Set([...(code.match(/[A-Za-z_]\w*/g) ?? []), ...path.split(/[/.]/)])];
}

function retiredIn(file: (typeof files)[number]): string[] {
  return namesIn(file)
    .filter((name) => !(name in ALLOWED))
    .flatMap((name) =>
      Object.entries(RETIRED)
        .filter(([, retired]) => retired.test(kebab(name)))
        .map(([word]) => `${file.path}: ${name} (write: ${word})`),
    );
}

describe('the words of the glossary', () => {
  it('are used in every name of the source', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap(retiredIn)).toEqual([]);
  });

  it.each([
    ['a.ts', 'const lineKey = 1;'],
    ['a.ts', 'const AFTERMATH_LEASE_SECONDS = 5;'],
    ['a.ts', 'type ParcelRow = {};'],
    ['a.ts', 'const claimTtlMs = 10_000;'],
    ['a.ts', 'type RequestKey = {};'],
    ['a.lua', 'local waiting_room = KEYS[1]'],
    ['claim.lua', ''],
    ['hold_marks.sql', ''],
    ['a.sql', 'CREATE FUNCTION take_aftermaths()'],
  ])('are missing in %s: %s', (path, text) => {
    expect(retiredIn({ path, text })).toHaveLength(1);
  });

  it('are not searched in comments and texts', () => {
    expect(retiredIn({ path: 'a.ts', text: "// a letter\nconst a = 'letter';" })).toEqual([]);
  });

  it('need every exception', () => {
    const names = new Set(files.flatMap(({ path, text }) => [path, ...(text.match(/[A-Za-z_][\w-]*/g) ?? [])]));
    expect(Object.keys(ALLOWED).filter((name) => !names.has(name))).toEqual([]);
  });
});
