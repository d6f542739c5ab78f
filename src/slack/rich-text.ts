/**
 * Inlines of a Message as rich text elements. Rich text is never parsed as mrkdwn, so attacker-chosen text stays text;
 * mentions, dates and links are elements of their own and are made only from values that pass the checks here.
 */
import type { RichTextBlock, RichTextSection } from '@slack/web-api';
import type { Inline, Line } from '../contracts/message.ts';
import { defang, inert } from '../domain/inert.ts';

export type RichTextElement = RichTextSection['elements'][number];

const maxText = 2_000;
/** The longest ARN that AWS writes is 2,048 characters. */
const maxCode = 2_048;
const userId = /^[UW][A-Z0-9]{2,20}$/u;
const newLine: RichTextElement = { type: 'text', text: '\n' };

/** Whether the text has the form of a Slack user id; only such a text may become a mention. */
export function isUserId(text: string): boolean {
  return userId.test(text);
}

/** Makes text inert but keeps one space at either end, because inlines stand next to each other. */
function spaced(text: string, make: (text: string) => string): string {
  const core = make(text);
  if (core === '') return /\s/u.test(text) ? ' ' : '';
  return `${/^\s/u.test(text) ? ' ' : ''}${core}${/\s$/u.test(text) ? ' ' : ''}`;
}

/** `2026-11-20 22:05 UTC`; undefined where the text is no instant between 1970 and 9999. */
function utcText(at: string): string | undefined {
  const instant = new Date(at);
  const ms = instant.getTime();
  if (Number.isNaN(ms) || ms < 0 || instant.getUTCFullYear() > 9_999) return undefined;
  return `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The address in its canonical form where it is an https link of at most 3,000 characters; undefined otherwise. */
function linkUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '') return undefined;
  return parsed.href.length <= 3_000 ? parsed.href : undefined;
}

/** One inline as plain text without markup: prose is defanged, identifiers are not (DOMAIN.md 9.6). */
export function plainInline(inline: Inline, max = maxText): string {
  switch (inline.kind) {
    case 'text':
      return spaced(inline.text, (text) => defang(inert(text, max)));
    case 'code':
      return inert(inline.text, Math.min(max, maxCode));
    case 'person':
      return inert(inline.userId, 40);
    case 'group':
      return inert(inline.groupId, 40);
    case 'date':
      return utcText(inline.at) ?? inert(inline.at, 40);
    case 'link':
      return defang(inert(`${inline.label} (${inline.url})`, max));
  }
}

/** A line as plain text without markup. */
export function plainLine(line: Line, max = maxText): string {
  return line.map((inline) => plainInline(inline, max)).join('');
}

function dateElements(at: string): readonly RichTextElement[] {
  const utc = utcText(at);
  if (utc === undefined) return textElement(inert(at, 40));
  const timestamp = Math.floor(new Date(at).getTime() / 1_000);
  return [
    { type: 'text', text: `${utc} (` },
    { type: 'date', timestamp, format: '{date_short_pretty} {time}', fallback: utc },
    { type: 'text', text: ')' },
  ];
}

function textElement(text: string, style?: { bold?: boolean; code?: boolean }): readonly RichTextElement[] {
  if (text === '') return [];
  return [style === undefined ? { type: 'text', text } : { type: 'text', text, style }];
}

function inlineElements(inline: Inline, max: number): readonly RichTextElement[] {
  switch (inline.kind) {
    case 'text':
      return textElement(plainInline(inline, max), inline.bold === true ? { bold: true } : undefined);
    case 'code':
      return textElement(plainInline(inline, max), { code: true });
    case 'person':
      return isUserId(inline.userId)
        ? [{ type: 'user', user_id: inline.userId }]
        : textElement(plainInline(inline, max), { code: true });
    case 'group':
      return /^S[A-Z0-9]{2,20}$/u.test(inline.groupId)
        ? [{ type: 'usergroup', usergroup_id: inline.groupId }]
        : textElement(plainInline(inline, max), { code: true });
    case 'date':
      return dateElements(inline.at);
    case 'link': {
      const url = linkUrl(inline.url);
      if (url === undefined) return textElement(plainInline(inline, max));
      const label = inert(inline.label, max);
      return [label === '' ? { type: 'link', url } : { type: 'link', url, text: label }];
    }
  }
}

/** A line as rich text elements. `max` bounds each text in it, in characters. */
export function lineElements(line: Line, max = maxText): readonly RichTextElement[] {
  return line.flatMap((inline) => inlineElements(inline, max));
}

/** Lines as one rich text block; undefined where nothing visible is left. */
export function richTextOf(lines: readonly (readonly RichTextElement[])[]): RichTextBlock | undefined {
  const elements = lines.flatMap((line, index) => (index === 0 ? [...line] : [newLine, ...line]));
  if (!elements.some((element) => element !== newLine)) return undefined;
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}
