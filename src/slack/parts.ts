/** One part of a Message as blocks, inside the room that is left (limits: DOMAIN.md 1.9). What does not fit is cut with a line that says so. */
import type {
  ActionsBlock,
  Button as ButtonElement,
  ContextBlock,
  KnownBlock,
  RichTextBlock,
  RichTextSection,
  TableBlock,
} from '@slack/web-api';
import type { Button, Fact, Line, Part } from '../contracts/message.ts';
import { defang, inert, inertBlock } from '../domain/inert.ts';
import { isUserId, lineElements, plainInline, plainLine, type RichTextElement, richTextOf } from './rich-text.ts';

/** What may still be used of the message. `chars` counts the blocks' JSON. */
export interface Room {
  readonly chars: number;
  readonly blocks: number;
  /** False when the message has its one table already. */
  readonly table: boolean;
}

export interface Rendered {
  readonly blocks: readonly KnownBlock[];
  /** True when something was left out. */
  readonly cut: boolean;
}

export const cutNotice = '… cut here to fit Slack; a file in the thread, where there is one, has all of it';
const nothing: Rendered = { blocks: [], cut: false };
const dropped: Rendered = { blocks: [], cut: true };

/** The characters that a value takes in the message's JSON, with its comma. */
export function costOf(value: unknown): number {
  return JSON.stringify(value).length + 1;
}

/** Cuts at a code point so that `fits` holds; the last character shows the cut. Undefined when nothing fits. */
export function clip(text: string, fits: (text: string) => boolean): string | undefined {
  if (fits(text)) return text;
  const points = [...text];
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(`${points.slice(0, middle).join('')}…`)) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? undefined : `${points.slice(0, low).join('').trimEnd()}…`;
}

function fitting(blocks: readonly KnownBlock[], room: Room): boolean {
  return blocks.length <= room.blocks && blocks.reduce((sum, block) => sum + costOf(block), 0) <= room.chars;
}

/** Finds the most items whose block fits, shortening the first one where it alone is too long. */
function fill(
  count: number,
  build: (shown: number, max: number, cut: boolean) => KnownBlock | undefined,
  room: Room,
): Rendered {
  const whole = build(count, 2_000, false);
  if (whole === undefined) return nothing;
  if (fitting([whole], room)) return { blocks: [whole], cut: false };
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const block = build(middle, 2_000, true);
    if (block !== undefined && fitting([block], room)) low = middle;
    else high = middle - 1;
  }
  for (const [shown, max] of [
    [low, 2_000],
    [1, 500],
    [1, 100],
  ] as const) {
    if (shown === 0) continue;
    const block = build(shown, max, true);
    if (block !== undefined && fitting([block], room)) return { blocks: [block], cut: true };
  }
  return dropped;
}

function linesBlock(lines: readonly Line[], room: Room): Rendered {
  const build = (shown: number, max: number, cut: boolean): KnownBlock | undefined => {
    const rows: (readonly RichTextElement[])[] = lines.slice(0, shown).map((line) => lineElements(line, max));
    return richTextOf(cut ? [...rows, [{ type: 'text', text: cutNotice }]] : rows);
  };
  return fill(lines.length, build, room);
}

function factLine(fact: Fact): Line {
  return [{ kind: 'text', text: `${fact.label.trim()}: `, bold: true }, ...fact.value];
}

function listBlock(items: readonly Line[], ordered: boolean, room: Room): Rendered {
  const build = (shown: number, max: number, cut: boolean): RichTextBlock | undefined => {
    const sections = items.slice(0, shown).flatMap((item): RichTextSection[] => {
      const elements = lineElements(item, max);
      return elements.length === 0 ? [] : [{ type: 'rich_text_section', elements: [...elements] }];
    });
    if (sections.length === 0) return undefined;
    const block: RichTextBlock = {
      type: 'rich_text',
      elements: [{ type: 'rich_text_list', style: ordered ? 'ordered' : 'bullet', elements: sections }],
    };
    if (cut) block.elements.push({ type: 'rich_text_section', elements: [{ type: 'text', text: cutNotice }] });
    return block;
  };
  return fill(items.length, build, room);
}

function preformattedBlock(text: string, room: Room): Rendered {
  const shown = inertBlock(text, 400, 3_000);
  if (shown.trim() === '') return nothing;
  const build = (part: string, cut: boolean): RichTextBlock => {
    const block: RichTextBlock = {
      type: 'rich_text',
      elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: part }] }],
    };
    if (cut) block.elements.push({ type: 'rich_text_section', elements: [{ type: 'text', text: cutNotice }] });
    return block;
  };
  const whole = build(shown, false);
  if (fitting([whole], room)) return { blocks: [whole], cut: false };
  const part = clip(shown, (candidate) => fitting([build(candidate, true)], room));
  return part === undefined ? dropped : { blocks: [build(part, true)], cut: true };
}

/** A cell holds at least one character (DOMAIN.md 1.9). */
function cell(text: string): { type: 'raw_text'; text: string } {
  return { type: 'raw_text', text: inert(text, 200) || '–' };
}

function tableBlock(columns: readonly string[], rows: readonly (readonly string[])[], room: Room): Rendered {
  const all = [columns, ...rows];
  if (!room.table) return preformattedBlock(all.map((row) => row.join(' | ')).join('\n'), room);
  const width = Math.min(20, Math.max(columns.length, ...rows.slice(0, 100).map((row) => row.length)));
  if (width === 0) return nothing;
  const tooWide = columns.length > 20 || rows.some((row) => row.length > 20);
  const cells = all.slice(0, 100).map((row) => Array.from({ length: width }, (_, index) => cell(row[index] ?? '')));
  const notice: KnownBlock = { type: 'context', elements: [{ type: 'plain_text', text: cutNotice, emoji: false }] };
  const build = (shown: number): TableBlock => ({
    type: 'table',
    rows: cells.slice(0, shown),
    column_settings: Array.from({ length: width }, () => ({ is_wrapped: true })),
  });
  const cutAt = (shown: number) => (shown < all.length || tooWide ? [build(shown), notice] : [build(shown)]);
  let shown = cells.length;
  while (shown > 1 && !fitting(cutAt(shown), room)) shown -= 1;
  const blocks = cutAt(shown);
  if (!fitting(blocks, room)) return dropped;
  return { blocks, cut: blocks.length > 1 };
}

/** A context block speaks mrkdwn or plain text only: text stays plain, and a mention is an element of its own. */
function contextLine(line: Line): ContextBlock | undefined {
  const elements: ContextBlock['elements'] = [];
  let text = '';
  const flush = (): void => {
    if (text.trim() !== '') elements.push({ type: 'plain_text', text: text.trim(), emoji: false });
    text = '';
  };
  for (const inline of line) {
    if (inline.kind === 'person' && isUserId(inline.userId)) {
      flush();
      elements.push({ type: 'mrkdwn', text: `<@${inline.userId}>`, verbatim: true });
    } else text += plainInline(inline, 1_000);
  }
  flush();
  if (elements.length > 10) return plainContext(plainLine(line));
  return elements.length === 0 ? undefined : shortened({ type: 'context', elements });
}

function shortened(block: ContextBlock): ContextBlock {
  for (const element of block.elements) {
    if (element.type === 'plain_text') element.text = clip(element.text, (text) => text.length <= 2_000) ?? '…';
  }
  return block;
}

function plainContext(text: string): ContextBlock | undefined {
  if (text.trim() === '') return undefined;
  return shortened({ type: 'context', elements: [{ type: 'plain_text', text: text.trim(), emoji: false }] });
}

function contextBlocks(lines: readonly Line[], room: Room): Rendered {
  const blocks: KnownBlock[] = [];
  let plain: string[] = [];
  const flush = (): void => {
    const block = plainContext(plain.join('\n'));
    if (block !== undefined) blocks.push(block);
    plain = [];
  };
  for (const line of lines) {
    const special = line.some((inline) => inline.kind === 'person' || inline.kind === 'link');
    const block = line.some((inline) => inline.kind === 'link')
      ? richTextOf([lineElements(line, 1_000)])
      : contextLine(line);
    if (special) {
      flush();
      if (block !== undefined) blocks.push(block);
      continue;
    }
    const text = plainLine(line, 1_000);
    if ([...plain, text].join('\n').length > 2_000) flush();
    plain.push(text);
  }
  flush();
  const shown: KnownBlock[] = [];
  for (const block of blocks) {
    if (!fitting([...shown, block], room)) return { blocks: shown, cut: true };
    shown.push(block);
  }
  return { blocks: shown, cut: false };
}

function buttonElement(button: Button): ButtonElement | undefined {
  // The value is an opaque id: a cut id would be another id, so a button that cannot carry it is not shown.
  if (button.value === '' || button.value.length > 2_000) return undefined;
  const label = clip(inert(button.label, 75), (text) => text.length <= 75);
  const describe = clip(inert(button.describe, 75), (text) => text.length <= 75);
  return {
    type: 'button',
    action_id: button.action,
    value: button.value,
    text: { type: 'plain_text', text: label === undefined || label === '' ? button.action : label, emoji: false },
    ...(button.style === undefined ? {} : { style: button.style }),
    ...(describe === undefined || describe === '' ? {} : { accessibility_label: describe }),
  };
}

/** An action_id stands once in a block (DOMAIN.md 1.9), so buttons of one action go into blocks of their own. */
function buttonBlocks(buttons: readonly Button[], room: Room): Rendered {
  const blocks: ActionsBlock[] = [];
  let cut = false;
  for (const button of buttons) {
    const element = buttonElement(button);
    if (element === undefined) {
      cut = true;
      continue;
    }
    const last = blocks.at(-1);
    const open =
      last !== undefined &&
      last.elements.length < 25 &&
      !last.elements.some((other) => 'action_id' in other && other.action_id === button.action);
    const next: ActionsBlock = { type: 'actions', elements: open ? [...last.elements, element] : [element] };
    const rest = open ? blocks.slice(0, -1) : blocks;
    if (!fitting([...rest, next], room)) return { blocks, cut: true };
    if (open) blocks.pop();
    blocks.push(next);
  }
  return { blocks, cut };
}

function headerBlock(text: string, room: Room): Rendered {
  const shown = clip(defang(inert(text, 150)), (candidate) => candidate.length <= 150);
  if (shown === undefined || shown === '') return nothing;
  const block: KnownBlock = { type: 'header', text: { type: 'plain_text', text: shown, emoji: false } };
  return fitting([block], room) ? { blocks: [block], cut: false } : dropped;
}

/** Renders one part. Never throws; says in `cut` whether something was left out. */
export function renderPart(part: Part, room: Room): Rendered {
  switch (part.kind) {
    case 'header':
      return headerBlock(part.text, room);
    case 'lines':
      return linesBlock(part.lines, room);
    case 'facts':
      return linesBlock(part.facts.map(factLine), room);
    case 'list':
      return listBlock(part.items, part.ordered === true, room);
    case 'table':
      return tableBlock(part.columns, part.rows, room);
    case 'preformatted':
      return preformattedBlock(part.text, room);
    case 'context':
      return contextBlocks(part.lines, room);
    case 'buttons':
      return buttonBlocks(part.buttons, room);
    case 'divider':
      return fitting([{ type: 'divider' }], room) ? { blocks: [{ type: 'divider' }], cut: false } : dropped;
  }
}
