/** Every block kind of DOMAIN.md 1.9 as a strict schema: unknown types and unknown fields are refused. */
import { z } from 'zod';
import { accessory, actionsElement, button, contextAction, contextElement, inputElement } from './block-elements.ts';
import { richText, tableCell } from './block-rich-text.ts';
import {
  anyText,
  blockId,
  hasOneSource,
  httpUrl,
  imageElement,
  mrkdwn,
  pictureFields,
  plainText,
} from './block-text.ts';

const section = z
  .strictObject({
    type: z.literal('section'),
    block_id: blockId,
    text: anyText(3000).optional(),
    fields: z.array(anyText(2000)).min(1).max(10).optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
  })
  .refine((block) => block.text !== undefined || block.fields !== undefined, {
    error: 'must define either text or fields',
  });

const header = z.strictObject({ type: z.literal('header'), block_id: blockId, text: plainText(150) });
const divider = z.strictObject({ type: z.literal('divider'), block_id: blockId });
const context = z.strictObject({
  type: z.literal('context'),
  block_id: blockId,
  elements: z.array(contextElement).min(1).max(10),
});
const actions = z.strictObject({
  type: z.literal('actions'),
  block_id: blockId,
  elements: z.array(actionsElement).min(1).max(25),
});
const image = z
  .strictObject({ ...pictureFields, block_id: blockId, title: plainText(2000).optional() })
  .refine(hasOneSource, { error: 'must provide either image_url or slack_file' });
const input = z.strictObject({
  type: z.literal('input'),
  block_id: blockId,
  label: plainText(2000),
  hint: plainText(2000).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
  element: inputElement,
});
const file = z.strictObject({
  type: z.literal('file'),
  block_id: blockId,
  source: z.string(),
  external_id: z.string(),
});
const video = z.strictObject({
  type: z.literal('video'),
  block_id: blockId,
  video_url: httpUrl,
  thumbnail_url: httpUrl,
  alt_text: z.string().min(1),
  title: plainText(200),
  title_url: httpUrl.optional(),
  author_name: z.string().max(50).optional(),
  provider_name: z.string().optional(),
  provider_icon_url: httpUrl.optional(),
  description: plainText(200).optional(),
});

const columnSetting = z.strictObject({
  align: z.enum(['left', 'center', 'right']).optional(),
  is_wrapped: z.boolean().optional(),
});
const table = z.strictObject({
  type: z.literal('table'),
  block_id: blockId,
  rows: z.array(z.array(tableCell).min(1).max(20)).min(1).max(100),
  column_settings: z.array(columnSetting.nullable()).max(20).optional(),
});
const dataTable = z
  .strictObject({
    type: z.literal('data_table'),
    block_id: blockId,
    caption: z.string().min(1),
    rows: z.array(z.array(tableCell).min(1).max(20)).min(2).max(101),
    page_size: z.number().int().min(1).max(100).optional(),
    row_header_column_index: z.number().int().min(0).optional(),
  })
  .refine((block) => block.rows.every((row) => row.length === block.rows[0]?.length), {
    error: 'all rows must have the same number of cells',
  })
  .refine((block) => block.rows[0]?.every((cell) => cell.type !== 'rich_text') ?? true, {
    error: 'header cells may not be rich_text',
  });

const card = z
  .strictObject({
    type: z.literal('card'),
    block_id: blockId,
    hero_image: imageElement.optional(),
    icon: imageElement.optional(),
    title: mrkdwn(150).optional(),
    subtitle: mrkdwn(150).optional(),
    body: mrkdwn(200).optional(),
    actions: z.array(button).min(1).optional(),
  })
  .refine((block) => (block.hero_image ?? block.title ?? block.actions ?? block.body) !== undefined, {
    error: 'must define at least one of hero_image, title, actions, body',
  });

const taskCard = z.strictObject({
  type: z.literal('task_card'),
  block_id: blockId,
  task_id: z.string().min(1),
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: richText.optional(),
  output: richText.optional(),
  sources: z.array(z.strictObject({ type: z.literal('url'), url: httpUrl, text: z.string().min(1) })).optional(),
});

const childBlock = z.discriminatedUnion('type', [
  actions,
  context,
  divider,
  file,
  header,
  image,
  input,
  richText,
  section,
  table,
  video,
]);

export const block = z.discriminatedUnion('type', [
  ...childBlock.options,
  dataTable,
  card,
  taskCard,
  z.strictObject({ type: z.literal('carousel'), block_id: blockId, elements: z.array(card).min(1).max(10) }),
  z.strictObject({
    type: z.literal('container'),
    block_id: blockId,
    title: plainText(150).optional(),
    rich_text_title: richText.optional(),
    subtitle: anyText(150).optional(),
    child_blocks: z.array(childBlock).min(1).max(10),
    width: z.enum(['narrow', 'standard', 'wide', 'full']).optional(),
    icon: imageElement.optional(),
    is_collapsible: z.boolean().optional(),
    default_collapsed: z.boolean().optional(),
    has_header_divider: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal('plan'),
    block_id: blockId,
    title: z.string().min(1),
    tasks: z.array(taskCard).optional(),
  }),
  z.strictObject({
    type: z.literal('alert'),
    block_id: blockId,
    text: anyText(3000),
    level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional(),
  }),
  z.strictObject({ type: z.literal('markdown'), block_id: blockId, text: z.string().min(1).max(12_000) }),
  z.strictObject({
    type: z.literal('context_actions'),
    block_id: blockId,
    elements: z.array(contextAction).min(1).max(5),
  }),
]);

/** A block that passed the rules. */
export type Block = z.output<typeof block>;
