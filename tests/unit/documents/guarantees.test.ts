import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const documentUrl = new URL('../../../docs/reference/guarantees.md', import.meta.url);
const document = readFileSync(documentUrl, 'utf8');

type Quoted = { readonly path: string; readonly names: readonly string[] };

/** The tests that are linked, each with the names that are quoted behind it, up to the next link or paragraph. */
function quotedIn(text: string): Quoted[] {
  return [...text.matchAll(/\]\(((?:\.\.\/)+tests\/[^)]+\.ts)\)((?:(?!\n\n)[^[|])*)/g)].map(
    ([, path = '', behind = '']) => ({
      path,
      names: [...behind.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
    }),
  );
}

/** What of these names does not stand in its file. A name may be cut short by "…". */
function missing(quoted: readonly Quoted[]): string[] {
  return quoted.flatMap(({ path, names }) => {
    const code = readFileSync(new URL(path, documentUrl), 'utf8').replaceAll("\\'", "'");
    return names.flatMap((name) =>
      name
        .split('…')
        .map((part) => part.trim())
        .filter((part) => !code.includes(part))
        .map((part) => `${path}: ${part}`),
    );
  });
}

describe('the guarantees', () => {
  it('name existing tests', () => {
    const quoted = quotedIn(document);
    expect(quoted.flatMap(({ names }) => names).length).toBeGreaterThan(100);
    expect(missing(quoted)).toEqual([]);
  });

  it('are each proven by a test', () => {
    const sections = document.split(/^#{2,3} /m).filter((section) => /\*\*(?:Because|Excluded by):\*\*/.test(section));
    expect(sections.length).toBeGreaterThan(140);
    const unproven = sections.filter(
      (section) => !/\*\*(?:Proven|Excluded) by:\*\*.*\]\((?:\.\.\/)+tests\//.test(section),
    );
    expect(unproven).toEqual([]);
  });

  it('would fail if a test were renamed', () => {
    const row =
      '- **Proven by:** [lock](../../tests/unit/booking/lock-contract.test.ts): "a name that is not there, …"';
    expect(missing(quotedIn(row))).toEqual([
      '../../tests/unit/booking/lock-contract.test.ts: a name that is not there,',
    ]);
  });
});
