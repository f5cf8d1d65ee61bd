import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problems, typeOf } from '#adapters/http/problems.ts';
import type { Code } from '#domain/errors.ts';

const document = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
const [, ...sections] = document.split(/^## /m);
const codeOf = (section: string) => /^`([^`]+)`$/m.exec(section.split('\n', 1)[0] ?? '')?.[1] ?? section;
const codes = Object.keys(problems);

describe('docs/reference/errors.md', () => {
  it('has a section for each code, one each, and no other', () => {
    expect(sections.map(codeOf).toSorted()).toEqual(codes.toSorted());
  });

  it.each(sections.map((section) => [codeOf(section), section]))(
    'explains %s: what happened and what to do',
    (_, text) => {
      expect(text).toMatch(/\*\*What happened\*\*:? \S/);
      expect(text).toMatch(/\*\*What to do\*\*:? \S/);
    },
  );

  it.each(Object.entries(problems))('has the status of %s', (code, { status }) => {
    const section = sections.find((text) => codeOf(text) === code) ?? '';
    expect(section).toMatch(new RegExp(`^Status ${status}[.,]`, 'm'));
  });

  it('is the target of a problem’s type, with the anchor of its section', () => {
    for (const code of codes) expect(typeOf(code as Code)).toMatch(new RegExp(`/docs/reference/errors\\.md#${code}$`));
  });
});
