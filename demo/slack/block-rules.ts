/**
 * The strict validator of the demo's Slack, built from DOMAIN.md 1.8 and 1.9: every limit, the surface matrix, unique
 * ids, unknown types and fields, the size of the whole. It refuses what Slack refuses, in Slack's words.
 */
import { z } from 'zod';
import { type Block, block } from './block-kinds.ts';
import { plainText } from './block-text.ts';

export type Surface = 'message' | 'modal' | 'home';

/** `ok`, or Slack's error word with the lines that go into `response_metadata.messages`. */
export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: string; readonly messages: readonly string[] };

/** Seen near 13.2k characters of JSON, undocumented (DOMAIN.md 1.8). */
const maxBlocksCharacters = 13_200;
const maxCellCharacters = 10_000;
const maxMarkdownCharacters = 12_000;
const maxBlocks = { message: 50, modal: 100, home: 100 } as const;

const refusedBlocks: Readonly<Record<Surface, readonly string[]>> = {
  message: ['alert', 'file'],
  modal: [
    'card',
    'carousel',
    'container',
    'context_actions',
    'data_table',
    'data_visualization',
    'file',
    'markdown',
    'plan',
    'table',
    'task_card',
  ],
  home: ['alert', 'context_actions', 'data_table', 'file', 'markdown', 'plan', 'table', 'task_card'],
};
const refusedElements: Readonly<Record<Surface, readonly string[]>> = {
  message: ['email_text_input', 'number_input', 'url_text_input', 'file_input', 'rich_text_input'],
  modal: ['workflow_button'],
  home: ['email_text_input', 'number_input', 'url_text_input', 'file_input', 'workflow_button', 'datetimepicker'],
};

const blockList = z.array(block).min(1);
const modal = z.strictObject({
  type: z.literal('modal'),
  title: plainText(24),
  submit: plainText(24).optional(),
  close: plainText(24).optional(),
  callback_id: z.string().max(255).optional(),
  private_metadata: z.string().max(3000).optional(),
  external_id: z.string().max(255).optional(),
  clear_on_close: z.boolean().optional(),
  notify_on_close: z.boolean().optional(),
  submit_disabled: z.boolean().optional(),
  blocks: z.array(z.unknown()),
});
const home = z.strictObject({
  type: z.literal('home'),
  callback_id: z.string().max(255).optional(),
  private_metadata: z.string().max(3000).optional(),
  external_id: z.string().max(255).optional(),
  blocks: z.array(z.unknown()),
});

/** Checks the `blocks` of a message, modal or Home. Never throws. */
export function checkBlocks(blocks: unknown, surface: Surface): Verdict {
  if (!Array.isArray(blocks))
    return refuse('invalid_blocks_format', ['[ERROR] blocks must be an array [json-pointer:/blocks]']);
  if (blocks.length > maxBlocks[surface]) {
    return refuse('invalid_blocks', [
      `[ERROR] no more than ${maxBlocks[surface]} items allowed [json-pointer:/blocks]`,
    ]);
  }
  const parsed = blockList.safeParse(blocks);
  if (!parsed.success) return refuse('invalid_blocks', issueLines(parsed.error.issues, '/blocks'));
  const problems = [
    ...surfaceProblems(parsed.data, surface),
    ...uniqueProblems(parsed.data),
    ...totalProblems(parsed.data),
  ];
  if (problems.length > 0) return refuse('invalid_blocks', problems);
  if (parsed.data.filter((each) => each.type === 'table' || each.type === 'data_table').length > 1) {
    return refuse('invalid_blocks', ['[ERROR] only_one_table_allowed [json-pointer:/blocks]']);
  }
  const size = JSON.stringify(blocks).length;
  if (surface === 'message' && size > maxBlocksCharacters) {
    return refuse('msg_blocks_too_long', [
      `[ERROR] blocks are ${size} characters of JSON, ${maxBlocksCharacters} allowed`,
    ]);
  }
  return { ok: true };
}

/** Checks a view for views.open, push, update (modal) or publish (home). Never throws. */
export function checkView(view: unknown, surface: 'modal' | 'home'): Verdict {
  const parsed = (surface === 'modal' ? modal : home).safeParse(view);
  if (!parsed.success) return refuse('invalid_arguments', issueLines(parsed.error.issues, '/view'));
  const verdict = checkBlocks(parsed.data.blocks, surface);
  if (!verdict.ok) {
    return refuse(
      'invalid_arguments',
      verdict.messages.map((line) => line.replace('json-pointer:/blocks', 'json-pointer:/view/blocks')),
    );
  }
  const hasInput = parsed.data.blocks.some((each) => blockType(each) === 'input');
  if (surface === 'modal' && hasInput && !('submit' in parsed.data && parsed.data.submit)) {
    return refuse('invalid_arguments', [
      '[ERROR] must provide `submit` where the view has an input block [json-pointer:/view]',
    ]);
  }
  return { ok: true };
}

function refuse(error: string, messages: readonly string[]): Verdict {
  return { ok: false, error, messages };
}

function blockType(value: unknown): string {
  return typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : '';
}

function issueLines(issues: readonly z.core.$ZodIssue[], root: string): string[] {
  return issues.flatMap((issue) => {
    const at = [root, ...issue.path.map(String)].join('/');
    return words(issue).map((says) => `[ERROR] ${says} [json-pointer:${at}]`);
  });
}

function words(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `invalid additional property: ${key}`);
  if (issue.code === 'too_small') {
    const least = Number(issue.minimum);
    if (issue.origin === 'string') return [`must be more than ${least - 1} characters`];
    return [issue.origin === 'array' ? `no less than ${least} items required` : `must not be less than ${least}`];
  }
  if (issue.code === 'too_big') {
    const most = Number(issue.maximum);
    if (issue.origin === 'string') return [`must be less than ${most + 1} characters`];
    return [issue.origin === 'array' ? `no more than ${most} items allowed` : `must not be more than ${most}`];
  }
  if (issue.code === 'invalid_union') return ['unsupported type'];
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    return [`missing required field: ${String(issue.path.at(-1) ?? '')}`];
  }
  return [issue.message];
}

interface Placed {
  readonly type: string;
  readonly at: string;
  readonly actionId?: string | undefined;
}

/** The interactive elements of a block with their JSON pointers. */
function elementsOf(each: Block, at: string): Placed[] {
  if (each.type === 'actions' || each.type === 'context_actions') {
    return each.elements.map((element, i) => ({
      type: element.type,
      at: `${at}/elements/${i}`,
      actionId: element.action_id,
    }));
  }
  if (each.type === 'input')
    return [{ type: each.element.type, at: `${at}/element`, actionId: each.element.action_id }];
  if (each.type === 'section' && each.accessory) {
    const actionId = each.accessory.type === 'image' ? undefined : each.accessory.action_id;
    return [{ type: each.accessory.type, at: `${at}/accessory`, actionId }];
  }
  if (each.type === 'card') {
    return (each.actions ?? []).map((element, i) => ({
      type: 'button',
      at: `${at}/actions/${i}`,
      actionId: element.action_id,
    }));
  }
  return [];
}

function withChildren(blocks: readonly Block[]): { each: Block; at: string }[] {
  return blocks.flatMap((each: Block, i): { each: Block; at: string }[] => {
    const at = `/blocks/${i}`;
    if (each.type !== 'container') return [{ each, at }];
    return [{ each, at }, ...each.child_blocks.map((child, j) => ({ each: child, at: `${at}/child_blocks/${j}` }))];
  });
}

function surfaceProblems(blocks: readonly Block[], surface: Surface): string[] {
  return withChildren(blocks).flatMap(({ each, at }) => {
    const problems: string[] = [];
    if (refusedBlocks[surface].includes(each.type))
      problems.push(`[ERROR] unsupported type: ${each.type} [json-pointer:${at}/type]`);
    for (const element of elementsOf(each, at)) {
      if (refusedElements[surface].includes(element.type)) {
        problems.push(`[ERROR] unsupported type: ${element.type} [json-pointer:${element.at}/type]`);
      }
    }
    return problems;
  });
}

function uniqueProblems(blocks: readonly Block[]): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { each, at } of withChildren(blocks)) {
    if (each.block_id !== undefined && seen.has(each.block_id)) {
      problems.push(`[ERROR] \`block_id\` already exists: ${each.block_id} [json-pointer:${at}/block_id]`);
    }
    if (each.block_id !== undefined) seen.add(each.block_id);
    const actions = new Set<string>();
    for (const element of elementsOf(each, at)) {
      if (element.actionId === undefined) continue;
      if (actions.has(element.actionId)) {
        problems.push(
          `[ERROR] \`action_id\` already exists: ${element.actionId} [json-pointer:${element.at}/action_id]`,
        );
      }
      actions.add(element.actionId);
    }
  }
  return problems;
}

function totalProblems(blocks: readonly Block[]): string[] {
  const markdown = blocks.reduce((sum, each) => sum + (each.type === 'markdown' ? each.text.length : 0), 0);
  const problems: string[] = [];
  if (markdown > maxMarkdownCharacters)
    problems.push('[ERROR] markdown blocks must be less than 12001 characters in all [json-pointer:/blocks]');
  for (const [i, each] of blocks.entries()) {
    if (each.type !== 'table' && each.type !== 'data_table') continue;
    const cells = each.rows.flat().reduce((sum, cell) => sum + textOf(cell).length, 0);
    if (cells > maxCellCharacters)
      problems.push(`[ERROR] table cells must be less than 10001 characters in all [json-pointer:/blocks/${i}]`);
  }
  return problems;
}

/** All text in a cell, however deep. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, inner]) => (key === 'text' && typeof inner === 'string' ? inner : textOf(inner)))
    .join('');
}
