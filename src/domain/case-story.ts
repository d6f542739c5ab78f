/** What is worth saying in the thread when a finding comes again. The card itself is always brought up to date. */
import type { Alert } from '../contracts/alert.ts';
import type { Inline, Line, Message } from '../contracts/message.ts';
import { inert } from './inert.ts';
import { severityLabel, severityRank } from './severity.ts';

const quietHours = 6;
const hourMs = 60 * 60 * 1000;
const milestones = [1000, 100, 10] as const;
const namedAtMost = 3;

function text(words: string): Inline {
  return { kind: 'text', text: words };
}

/** `a new remote address: 198.51.100.7`, `5 new remote addresses: 198.51.100.7, ... and 2 more`. */
function newOnes(one: string, many: string, ids: readonly string[]): Line | undefined {
  if (ids.length === 0) return undefined;
  const line: Inline[] = [text(ids.length === 1 ? `a new ${one}: ` : `${ids.length} new ${many}: `)];
  for (const [index, id] of ids.slice(0, namedAtMost).entries()) {
    if (index > 0) line.push(text(', '));
    line.push({ kind: 'code', text: inert(id, 120) });
  }
  if (ids.length > namedAtMost) line.push(text(` and ${ids.length - namedAtMost} more`));
  return line;
}

function severityNews(previous: Alert, next: Alert): Line | undefined {
  if (severityRank(next.severity) <= severityRank(previous.severity)) return undefined;
  return [text(`severity rose from ${severityLabel(previous.severity)} to ${severityLabel(next.severity)}`)];
}

function archiveNews(previous: Alert, next: Alert): Line | undefined {
  if (previous.archived === next.archived) return undefined;
  const place = next.source === 'guardduty' ? 'GuardDuty' : 'Security Hub';
  return [text(next.archived ? `somebody archived it in ${place}` : `it is no longer archived in ${place}`)];
}

const stateful = new Set(['cloudwatch', 'config', 'ec2']);

/** Of what has a state: `its state is OK now`. Of a finding: that somebody suppressed it, or that it is over. */
function stateNews(previous: Alert, next: Alert): Line | undefined {
  if (stateful.has(next.source) && previous.type !== next.type) {
    return [text('its state is '), { kind: 'code', text: inert(next.type, 40) }, text(' now')];
  }
  if (previous.suppressed !== true && next.suppressed === true) return [text('it was suppressed in Security Hub')];
  if (previous.suppressed === true && next.source === 'security-hub' && next.suppressed !== true)
    return [text('it is no longer suppressed in Security Hub')];
  if (previous.undecided !== true && next.undecided === true)
    return [text('the check could not be made, so that nobody knows whether it is over')];
  if (previous.resolved !== true && next.resolved === true) return [text('it is over')];
  return previous.resolved === true && next.resolved !== true ? [text('it is not over any more')] : undefined;
}

function countNews(previous: Alert, next: Alert): Line | undefined {
  const crossed = milestones.find((mark) => previous.count < mark && next.count >= mark);
  return crossed === undefined ? undefined : [text(`seen ${next.count.toLocaleString('en-US')} times by now`)];
}

function quietNews(previous: Alert, next: Alert): Line | undefined {
  const gapMs = Date.parse(next.lastSeen ?? '') - Date.parse(previous.lastSeen ?? '');
  if (!(gapMs >= quietHours * hourMs)) return undefined;
  return [text(`seen again after ${Math.floor(gapMs / hourMs)} hours of quiet`)];
}

/**
 * What changed that somebody should look at: the severity's word rose, archived or not any more, a new remote address or
 * resource, the count passed 10, 100 or 1,000, seen again after 6 hours or more. Undefined for a mere higher count.
 */
export function updateWorthSaying(previous: Alert, next: Alert): Line | undefined {
  const knownIps = new Set(previous.remote.map((remote) => remote.ip));
  const knownResources = new Set(previous.resourceIds);
  const ips = next.remote.map((remote) => remote.ip).filter((ip) => !knownIps.has(ip));
  const resources = next.resourceIds.filter((id) => !knownResources.has(id));
  const news = [
    severityNews(previous, next),
    archiveNews(previous, next),
    stateNews(previous, next),
    newOnes('remote address', 'remote addresses', ips),
    newOnes('resource', 'resources', resources),
    countNews(previous, next),
    quietNews(previous, next),
  ].filter((line) => line !== undefined);
  if (news.length === 0) return undefined;
  return [
    text('This finding came again: '),
    ...news.flatMap((line, index) => (index === 0 ? line : [text('; '), ...line])),
    text('.'),
  ];
}

/** The words of a line without its kinds: what a notification shows. */
function lineText(line: Line): string {
  return line
    .map((part) => {
      if (part.kind === 'person' || part.kind === 'group') return 'somebody';
      if (part.kind === 'date') return part.at;
      return part.kind === 'link' ? part.label : part.text;
    })
    .join('');
}

/** A note in the thread of a finding's card. Its `text` stands alone, as a notification does. */
export function threadNote(alert: Alert, note: Line): Message {
  const where = alert.accountId === '' ? '' : ` in account ${inert(alert.accountId, 30)}`;
  const about = `${severityLabel(alert.severity)} finding${where}`;
  return { text: `${about}: ${lineText(note)}`, parts: [{ kind: 'lines', lines: [note] }] };
}
