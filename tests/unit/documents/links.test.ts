import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// Every relative link of the documents, with its anchor, leads to something that exists.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

type Document = { readonly path: string; readonly text: string };

const documents: Document[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const withoutCode = (text: string) =>
  text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]+`/g, (code) => code.replace(/[[\]()]/g, ' '));

/** What a link of Markdown or of HTML names, unless it is an address on the web. */
function linksOf({ text }: Document): string[] {
  const code = withoutCode(text);
  const targets = [...code.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|\b(?:href|src)="([^"]+)"/g)];
  return targets.map(([, markdown, html]) => markdown ?? html ?? '').filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document, as GitHub makes them of its headings, and those that it sets itself. */
function anchorsOf(text: string): Set<string> {
  const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, '');
  const anchors = new Set([...prose.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id));
  const times = new Map<string, number>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replace(/\s/g, '-');
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

function brokenIn(document: Document): string[] {
  return linksOf(document).flatMap((link) => {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? join(ROOT, document.path) : resolve(ROOT, dirname(document.path), decodeURI(path));
    const broken = [`${document.path}: ${link}`];
    if (relative(ROOT, file).startsWith('..') || !existsSync(file)) return broken;
    if (anchor === undefined || (statSync(file).isFile() && !file.endsWith('.md'))) return [];
    const text = path === '' ? document.text : statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
    return anchorsOf(text).has(anchor) ? [] : broken;
  });
}

describe('the documents', () => {
  it('link only to files, folders and headings that exist', () => {
    expect(documents.flatMap(linksOf).length).toBeGreaterThan(300);
    expect(documents.flatMap(brokenIn)).toEqual([]);
  });
});

describe('a link is broken when', () => {
  it.each([
    ['its file does not exist', '[x](docs/nowhere.md)', ['README.md: docs/nowhere.md']],
    ['its heading does not exist', '[x](docs/README.md#nowhere)', ['README.md: docs/README.md#nowhere']],
    ['its own document has no such heading', '# Here\n[x](#there)', ['README.md: #there']],
    ['it leads out of the repository', '[x](../../etc)', ['README.md: ../../etc']],
    ['its image does not exist', '<img src="docs/nowhere.png">', ['README.md: docs/nowhere.png']],
  ])('%s', (_case, text, broken) => {
    expect(brokenIn({ path: 'README.md', text })).toEqual(broken);
  });

  it('and not when it names a heading, a folder, an address or a piece of code', () => {
    const text =
      '# Here: `now` and *then*\n# Twice\n# Twice\n[a](#here-now-and-then) [b](#twice-1) [c](docs) [d](https://x.example/y) `[e](f)`';
    expect(brokenIn({ path: 'README.md', text })).toEqual([]);
  });
});
