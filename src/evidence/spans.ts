/** Stretches of time, half-open, in epoch milliseconds. */

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The same time in as few spans as it takes, in order. */
export function mergedSpans(spans: readonly Span[]): readonly Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last && span.from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else all.push(span);
  }
  return all;
}

/** What of `whole` no span covers. */
export function uncovered(whole: Span, spans: readonly Span[]): readonly Span[] {
  const rest: Span[] = [];
  let at = whole.from;
  for (const { from, to } of mergedSpans(spans)) {
    if (to <= at) continue;
    if (from >= whole.to) break;
    if (from > at) rest.push({ from: at, to: from });
    at = to;
  }
  if (at < whole.to) rest.push({ from: at, to: whole.to });
  return rest;
}
