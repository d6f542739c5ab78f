/** Where the records of a file lie that is written as CloudTrail writes, without a look into them: for scans that read few of them. */

/** The first key of every record that CloudTrail writes. */
const firstKey = '"eventVersion":';
/** How a file begins and ends, what stands between its records, and how long the beginning is without the first record. */
const forms = [
  { head: `{"Records":[{${firstKey}`, skip: 12, between: `},{${firstKey}`, tail: '}]}' },
  { head: `[{${firstKey}`, skip: 1, between: `},{${firstKey}`, tail: '}]' },
  { head: `{${firstKey}`, skip: 0, between: `}\n{${firstKey}`, tail: '}' },
].map((form) => ({
  ...form,
  head: Buffer.from(form.head),
  between: Buffer.from(form.between),
  tail: Buffer.from(form.tail),
}));

interface Spans {
  /** Where each record begins, at its brace. */
  readonly starts: readonly number[];
  readonly stop: number;
}

export interface RecordSpans {
  /** The records in which the places lie, each once. */
  holding(places: Iterable<number>): Generator<{ readonly start: number; readonly end: number }>;
}

/**
 * Where the records of a file lie; undefined where it is not written as CloudTrail writes.
 * @param exactly false: a file that was looked at before need not be looked at again where nothing is asked of it
 */
export function recordSpans(content: Buffer, exactly: boolean): RecordSpans | undefined {
  let spans: Spans | undefined;
  if (exactly) {
    const outline = outlineOf(content);
    if (outline === undefined) return undefined;
    // One line in one envelope is what it seems, without a look at where its records begin.
    const isOneLine = outline.breaks === 0 && outline.form.between[1] !== 0x0a;
    if (!isOneLine) spans = spansOf(content);
    if (!isOneLine && spans === undefined) return undefined;
  }
  return {
    *holding(places) {
      let i = 0;
      let given = -1;
      for (const place of places) {
        spans ??= spansOf(content);
        if (spans === undefined) return;
        const { starts, stop } = spans;
        while (i + 1 < starts.length && (starts[i + 1] as number) <= place) i += 1;
        if (i === given || place < (starts[i] as number) || place >= stop) continue;
        given = i;
        yield { start: starts[i] as number, end: i + 1 < starts.length ? (starts[i + 1] as number) - 1 : stop };
      }
    },
  };
}

/** The form of a file by its head and tail, where its last record ends, and the line breaks before that. */
function outlineOf(content: Buffer) {
  const form = forms.find(({ head }) => content.subarray(0, head.length).equals(head));
  if (form === undefined) return undefined;
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d || content[end - 1] === 0x20)) end -= 1;
  if (!content.subarray(end - form.tail.length, end).equals(form.tail)) return undefined;
  const stop = end - form.tail.length + 1;
  let breaks = 0;
  for (let at = content.indexOf(0x0a); at >= 0 && at < stop; at = content.indexOf(0x0a, at + 1)) breaks += 1;
  return { form, stop, breaks };
}

function spansOf(content: Buffer): Spans | undefined {
  const outline = outlineOf(content);
  if (outline === undefined) return undefined;
  const { form, stop, breaks } = outline;
  const starts = [form.skip];
  for (let at = content.indexOf(form.between); at >= 0; at = content.indexOf(form.between, at + form.between.length)) {
    starts.push(at + 2);
  }
  // A line break within a record would make two lines of it.
  const between = form.between[1] === 0x0a ? starts.length - 1 : 0;
  return breaks === between ? { starts, stop } : undefined;
}
