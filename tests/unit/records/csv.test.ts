import { describe, expect, it } from 'vitest';
import { csvLine } from '#adapters/http/records/csv.ts';

describe('a line of CSV', () => {
  it.each<[string, Parameters<typeof csvLine>[0], string]>([
    ['words and numbers as they are', ['one', 2, -3, 0.5], 'one,2,-3,0.5'],
    ['empty fields for absent values', [null, '', 'x', null], ',,x,'],
    ['the numbers of a list', [[7, 8], [], [1]], '7 8,,1'],
    ['separators and line ends in quotes', ['a,b', 'a "b"', 'a\nb', 'a\rb'], '"a,b","a ""b""","a\nb","a\rb"'],
    ['quotes, doubled', ['"', '""'], '"""",""""""'],
    ['Unicode', ['🎫, ok', 'Grüße'], '"🎫, ok",Grüße'],
  ])('has %s', (_, cells, line) => {
    expect(csvLine(cells)).toBe(`${line}\r\n`);
  });

  it.each(['=', '+', '-', '@', '\t', '\r', '\n'])('makes no formula of a text that begins with %j', (first) => {
    const [cell = ''] = csvLine([`${first}cmd|' /C calc'!A0`]).split('\r\n', 1);
    expect(cell.startsWith(`'${first}`) || cell.startsWith(`"'${first}`)).toBe(true);
    expect(csvLine([`a${first}1`, -1])).toMatch(/^"?a/);
  });
});
