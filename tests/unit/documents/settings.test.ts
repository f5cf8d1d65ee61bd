import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { variableNames } from '#config/config.ts';

test('settings.md is generated from .env.example as it is now', () => {
  const check = () => execFileSync(process.execPath, ['src/commands/settings.ts', '--check'], { stdio: 'pipe' });
  expect(check).not.toThrow();
});

test('settings.md has a section for each setting', () => {
  const document = readFileSync('docs/reference/settings.md', 'utf8');
  const sections = [...document.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(sections.toSorted()).toEqual([...variableNames].toSorted());
});
