/** A Message as Slack takes it: `text` for notifications and screen readers, blocks within every limit of DOMAIN.md 1.8 and 1.9. */
import type { KnownBlock } from '@slack/web-api';
import type { Message, Part } from '../contracts/message.ts';
import { escapeMrkdwn, inert } from '../domain/inert.ts';
import { clip, costOf, cutNotice, type Rendered, type Room, renderPart } from './parts.ts';
import { plainLine } from './rich-text.ts';

export interface SlackMessage {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** The argument `blocks`, left out where there are none: Slack refuses an empty list, and an update without it drops the old ones. */
export function withBlocks(blocks: KnownBlock[]): { blocks?: KnownBlock[] } {
  return blocks.length === 0 ? {} : { blocks };
}

/** Slack cuts or refuses an update's text above 4,000 characters. */
const maxText = 3_900;
const maxBlocks = 50;
/** The undocumented ceiling is near 13,200 characters of JSON (DOMAIN.md 1.8). */
const maxChars = 12_000;

const notice: KnownBlock = { type: 'context', elements: [{ type: 'plain_text', text: cutNotice, emoji: false }] };

/**
 * Who gets room first: a card without its buttons is dead and an answer without its coverage misleads, so those are
 * placed before the long parts, which can be cut.
 */
const ranks: readonly { readonly kinds: readonly Part['kind'][]; readonly most: Pick<Room, 'chars' | 'blocks'> }[] = [
  { kinds: ['buttons'], most: { chars: 5_000, blocks: 15 } },
  { kinds: ['header'], most: { chars: 2_000, blocks: 10 } },
  { kinds: ['context'], most: { chars: 2_500, blocks: 12 } },
  { kinds: ['lines', 'facts'], most: { chars: maxChars, blocks: maxBlocks } },
  { kinds: ['list', 'table', 'preformatted', 'divider'], most: { chars: maxChars, blocks: maxBlocks } },
];

function sentence(text: string): string {
  // The sentence holds identifiers that must stay as they are, so only what a client could make a link of is broken.
  const unlinked = inert(text, maxText).replace(/\bhttp(?=s?:\/\/)/giu, 'hxxp');
  const shown = clip(unlinked, (candidate) => escapeMrkdwn(candidate).length <= maxText);
  return shown === undefined || shown === '' ? 'Firebreak' : escapeMrkdwn(shown);
}

/**
 * Turns a Message into Slack's `text` and blocks. Never throws: what is over a limit is cut with a line that says so,
 * buttons and coverage last. Every string is made inert here (DOMAIN.md 9.6).
 */
export function toSlack(message: Message): SlackMessage {
  const slots: (readonly KnownBlock[])[] = message.parts.map(() => []);
  let chars = maxChars - 2 - costOf(notice);
  let blocks = maxBlocks - 1;
  let table = true;
  let lost = false;
  for (const { kinds, most } of ranks) {
    let share = { chars: Math.min(chars, most.chars), blocks: Math.min(blocks, most.blocks) };
    for (const [index, part] of message.parts.entries()) {
      if (!kinds.includes(part.kind)) continue;
      const rendered: Rendered = renderPart(part, { ...share, table });
      const used = rendered.blocks.reduce((sum, block) => sum + costOf(block), 0);
      slots[index] = rendered.blocks;
      share = { chars: share.chars - used, blocks: share.blocks - rendered.blocks.length };
      chars -= used;
      blocks -= rendered.blocks.length;
      if (rendered.blocks.some((block) => block.type === 'table')) table = false;
      // A long part says inside itself that it was cut; the others need the line at the end.
      const saysSo =
        rendered.blocks.length > 0 && ['lines', 'facts', 'list', 'table', 'preformatted'].includes(part.kind);
      if (rendered.cut && !saysSo && part.kind !== 'divider') lost = true;
    }
  }
  const all = slots.flat();
  return { text: sentence(message.text), blocks: lost ? [...all, notice] : all };
}

function plainPart(part: Part): string {
  switch (part.kind) {
    case 'header':
      return inert(part.text, 150);
    case 'lines':
    case 'context':
      return part.lines.map((line) => plainLine(line)).join('\n');
    case 'facts':
      return part.facts.map((fact) => `${inert(fact.label, 75)}: ${plainLine(fact.value)}`).join('\n');
    case 'list':
      return part.items.map((item) => `• ${plainLine(item)}`).join('\n');
    case 'table':
      return [part.columns, ...part.rows].map((row) => row.map((cell) => inert(cell)).join(' | ')).join('\n');
    case 'preformatted':
      return part.text
        .split('\n')
        .map((line) => inert(line, 3_000))
        .join('\n');
    case 'buttons':
    case 'divider':
      return '';
  }
}

/**
 * The same message as plain sections and buttons, to send again when Slack refuses the blocks (`invalid_blocks`,
 * `invalid_attachments`, `msg_blocks_too_long`): an alert is never lost because a block was refused.
 */
export function fallback(message: Message): SlackMessage {
  const blocks: KnownBlock[] = [];
  let chars = 6_000;
  for (const part of message.parts) {
    const text = plainPart(part).trim();
    if (text === '' || blocks.length >= 30 || chars < 200) continue;
    const shown = clip(
      text,
      (candidate) => candidate.length <= 2_900 && JSON.stringify(candidate).length <= chars - 100,
    );
    if (shown === undefined) continue;
    const block: KnownBlock = { type: 'section', text: { type: 'plain_text', text: shown, emoji: false } };
    chars -= costOf(block);
    blocks.push(block);
  }
  let room: Room = { chars: 5_000, blocks: 15, table: false };
  for (const part of message.parts) {
    if (part.kind !== 'buttons') continue;
    const rendered = renderPart(part, room);
    const used = rendered.blocks.reduce((sum, block) => sum + costOf(block), 0);
    room = { chars: room.chars - used, blocks: room.blocks - rendered.blocks.length, table: false };
    blocks.push(...rendered.blocks);
  }
  return { text: sentence(message.text), blocks };
}
