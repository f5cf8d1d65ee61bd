type Cell = string | number | readonly number[] | null;

/** A cell with one of these characters is quoted. */
const TO_QUOTE = /[",\r\n]/;
/** A spreadsheet would execute a cell that begins with one of these characters as a formula. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** A line by RFC 4180. A list is written with spaces; a text that looks like a formula gets a leading apostrophe. */
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
