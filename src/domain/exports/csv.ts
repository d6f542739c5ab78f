/** Tables as CSV (RFC 4180) that a spreadsheet opens without running what is in them. */

export type Cell = string | number | boolean | undefined | readonly string[];

/** Beginnings that a spreadsheet takes for a formula (DOMAIN.md 9.6 rule 7). */
const formula = /^[=+\-@\t\r\n]/;
/** Where lists are written with semicolons, a spreadsheet begins a cell behind each, also within quotes that begin elsewhere. */
const formulaBehind = /;(?=[=+\-@\t\r\n])/g;

/** Header and rows, lines ended by CRLF. Lists become one cell, joined by `; `. Any value is safe to pass. */
export function csv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Everything that a terminal or an editor would act on, but for the white space of tables. NUL ends the text in some readers. */
const control = /(?![\t\r\n])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

function cell(value: Cell): string {
  const text = (Array.isArray(value) ? value.join('; ') : String(value ?? '')).toWellFormed().replace(control, '');
  // After the cleaning: it may bring a formula to the front.
  const inert = (formula.test(text) ? `'${text}` : text).replace(formulaBehind, ";'");
  return /[",\r\n\t]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
