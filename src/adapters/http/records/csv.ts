type Cell = string | number | readonly number[] | null;

/** Kept in quotes, or a comma, a quote or a line break in it would be taken for one of the file. */
const TO_QUOTE = /[",\r\n]/;
/** A spreadsheet takes what begins like this for a formula, and carries it out. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** A line by RFC 4180. Numbers of a list are separated by blanks; a text that looks like a formula begins with an apostrophe. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  if (typeof cell !== 'string') return cell.join(' ');
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return TO_QUOTE.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
