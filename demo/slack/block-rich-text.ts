/** rich_text and the table cells, with their limits (DOMAIN.md 1.9). Slack refuses empty strings and empty sections here. */
import { z } from 'zod';
import { blockId } from './block-text.ts';

const style = z
  .strictObject({
    bold: z.boolean().optional(),
    italic: z.boolean().optional(),
    strike: z.boolean().optional(),
    code: z.boolean().optional(),
    underline: z.boolean().optional(),
    highlight: z.boolean().optional(),
    client_highlight: z.boolean().optional(),
    unlink: z.boolean().optional(),
  })
  .optional();

/** What Slack puts between braces in a date's format. */
const dateToken =
  /\{(?:date_num|date_slash|date_long|date_long_full|date_long_pretty|date_short|date_short_pretty|date_pretty|date|time|time_secs|ago|day_divider_pretty)\}/;

const text = z.strictObject({ type: z.literal('text'), text: z.string().min(1), style });
const link = z.strictObject({
  type: z.literal('link'),
  url: z.string().regex(/^(?:https?|mailto|tel|slack):\S+$/i, 'must be a valid URL'),
  text: z.string().min(1).optional(),
  unsafe: z.boolean().optional(),
  style,
});

const leaf = z.discriminatedUnion('type', [
  text,
  link,
  z.strictObject({
    type: z.literal('user'),
    user_id: z.string().regex(/^[UW][A-Z0-9]{2,}$/, 'invalid user id'),
    style,
  }),
  z.strictObject({
    type: z.literal('usergroup'),
    usergroup_id: z.string().regex(/^S[A-Z0-9]{2,}$/, 'invalid group id'),
    style,
  }),
  z.strictObject({
    type: z.literal('channel'),
    channel_id: z.string().regex(/^[CGD][A-Z0-9]{2,}$/, 'invalid channel id'),
    style,
  }),
  z.strictObject({
    type: z.literal('team'),
    team_id: z.string().regex(/^[TE][A-Z0-9]{2,}$/, 'invalid team id'),
    style,
  }),
  z.strictObject({
    type: z.literal('emoji'),
    name: z.string().min(1),
    unicode: z.string().optional(),
    url: z.string().optional(),
    style,
  }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.number().int().min(0),
    format: z.string().regex(dateToken, 'invalid date format'),
    url: z.string().optional(),
    fallback: z.string().min(1).optional(),
    style,
  }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style }),
  z.strictObject({ type: z.literal('color'), value: z.string().min(1), style }),
]);

const border = z.union([z.literal(0), z.literal(1)]).optional();
const section = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(leaf).min(1) });

const element = z.discriminatedUnion('type', [
  section,
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(section).min(1),
    indent: z.number().int().min(0).max(8).optional(),
    offset: z.number().int().min(0).optional(),
    border,
  }),
  z.strictObject({
    type: z.literal('rich_text_preformatted'),
    elements: z.array(z.discriminatedUnion('type', [text, link])).min(1),
    border,
  }),
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(leaf).min(1), border }),
]);

export const richText = z.strictObject({
  type: z.literal('rich_text'),
  block_id: blockId,
  elements: z.array(element).min(1),
});

export const tableCell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1) }),
  z.strictObject({ type: z.literal('raw_number'), value: z.number(), text: z.string().min(1) }),
  richText,
]);
