/** A timeline in words. */
import type { Part } from '../contracts/message.ts';
import { few } from './answers.ts';
import { bold, code, line, utc } from './phrases.ts';
import { labelOf } from './pivot-actors.ts';
import type { TimelineEntry } from './timeline.ts';

const shownTelling = 15;
const shownNewest = 10;

/** What tells most first, then who was there, then the newest events. */
export function timelineParts(entries: readonly TimelineEntry[]): readonly Part[] {
  if (entries.length === 0) return [];
  const telling = entries
    .filter(({ weight }) => weight > 1)
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, shownTelling);
  const callers = Map.groupBy(entries, ({ event }) => event.principal);
  const parts: Part[] = [];
  if (telling.length > 0) {
    parts.push({ kind: 'header', text: 'Known techniques, most telling first' });
    parts.push({ kind: 'list', items: telling.map((entry) => lineOf(entry)) });
  }
  parts.push({ kind: 'header', text: 'Who was there' });
  parts.push({
    kind: 'table',
    columns: ['Who', 'Events', 'From', 'First', 'Last'],
    rows: [...callers]
      .toSorted(([, a], [, b]) => b.length - a.length)
      .slice(0, 8)
      .map(([id, of]) => [
        id === '' ? 'an unnamed caller' : labelOf(id),
        of.length.toLocaleString('en-US'),
        few([...new Set(of.map(({ event }) => event.sourceIp).filter(Boolean))]),
        utc(of[0]?.event.eventTime ?? ''),
        utc(of.at(-1)?.event.eventTime ?? ''),
      ]),
  });
  parts.push({
    kind: 'header',
    text: entries.length > shownNewest ? `The newest ${shownNewest} events` : 'All events',
  });
  parts.push({ kind: 'list', items: entries.slice(-shownNewest).map((entry) => lineOf(entry)) });
  return parts;
}

function lineOf({ event, says }: TimelineEntry) {
  const outcome =
    event.outcome === 'success' ? '' : ` (${event.outcome}${event.errorCode ? `: ${event.errorCode}` : ''})`;
  return line(
    `${utc(event.eventTime)} `,
    ...(event.technique.length > 0 ? [bold(`${event.technique.join(', ')} `)] : []),
    `${event.principal === '' ? 'an unnamed caller' : labelOf(event.principal)}${says === '' ? '' : ` ${event.outcome === 'success' ? '' : 'tried: '}${says}`}: `,
    code(event.eventName),
    `${outcome}, ${event.region}${event.sourceIp === '' ? '' : `, from ${event.sourceIp}`}`,
  );
}
