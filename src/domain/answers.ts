/** What the reports of all questions share: coverage with its gaps, files, and words for what was not found. */
import type { Coverage } from '../contracts/evidence.ts';
import type { ReportFile } from '../contracts/investigation.ts';
import type { Part } from '../contracts/message.ts';
import { type Cell, csv } from './exports/csv.ts';
import { jsonText } from './json-text.ts';
import { count } from './phrases.ts';

/** The coverage with further gaps. Each makes the answer incomplete. */
export function withGaps(coverage: Coverage, gaps: readonly string[]): Coverage {
  if (gaps.length === 0) return coverage;
  return { ...coverage, complete: false, notLookedAt: [...coverage.notLookedAt, ...gaps] };
}

/** For the end of a headline: an answer from a part of the logs says so. */
export function unfinished(coverage: Coverage): string {
  return coverage.complete ? '' : ', and not everything could be looked at';
}

/** At most `shown` rows, and how many more the file has. */
export function cutTable(columns: readonly string[], rows: readonly (readonly string[])[], shown: number): Part {
  const rest = rows.length - shown;
  const more = rest > 0 ? [[`and ${count(rest, 'more row')}, in the file`, ...columns.slice(1).map(() => '')]] : [];
  return { kind: 'table', columns, rows: [...rows.slice(0, shown), ...more] };
}

/** The rows of an answer as a CSV file; it goes into the thread where it holds more than is shown there. */
export function csvFile(
  name: string,
  describes: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  attach: boolean,
): ReportFile {
  return { format: 'csv', filename: `${name}.csv`, describes, attach, text: () => csv(columns, rows) };
}

/** The whole answer as JSON, as `--json` prints it. */
export function jsonFile(name: string, answer: unknown, attach: boolean): ReportFile {
  return {
    format: 'json',
    filename: `${name}.json`,
    describes: `The whole answer of ${name} as JSON, with every event id and its coverage.`,
    attach,
    text: () => `${jsonText(answer)}\n`,
  };
}

/** The first few of a list, and how many more. */
export function few(items: readonly string[], shown = 2): string {
  if (items.length <= shown) return items.join(', ');
  return `${items.slice(0, Math.max(1, shown - 1)).join(', ')} and ${items.length - Math.max(1, shown - 1)} more`;
}

const mostStored = 4_000_000;

/** What the store keeps of an answer: all of it, or, where it is longer than 4 million characters, how it can be had again. */
export function storable(answer: unknown, headline: string, coverage: Coverage): unknown {
  const length = lengthOf(answer);
  return length <= mostStored ? answer : { headline, coverage, leftOut: 'the answer was too long to keep: ask again' };
}

function lengthOf(answer: unknown): number {
  try {
    return JSON.stringify(answer)?.length ?? 0;
  } catch (error) {
    // Longer than a string can be.
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
