/** Buttons, menus and inputs in blocks: finding them, reading what was entered, and the checks that Slack does itself. */
import { isRecord } from './body.ts';
import type { LooseBlock } from './workspace.ts';

/** What a person entered, by block_id or action_id. Menus: the option's value. */
export type ViewValues = Readonly<Record<string, string>>;
export type Entered = Readonly<Record<string, unknown>>;

export interface Control {
  readonly blockIndex: number;
  readonly blockId: string;
  readonly actionId: string;
  readonly element: Readonly<Record<string, unknown>>;
  /** What Slack puts into the payload for this entry. */
  read(value: string): Entered;
}

/** Every interactive element of the blocks, in order. */
export function controlsOf(blocks: readonly LooseBlock[]): Control[] {
  return blocks.flatMap((block, blockIndex) => {
    const held = block.type === 'actions' ? block.elements : [block.accessory, block.element];
    const list: readonly unknown[] = Array.isArray(held) ? held : [];
    return list.filter(isRecord).flatMap((element) => {
      if (typeof element.action_id !== 'string') return [];
      const read = (value: string) => readEntry(element, value);
      return [{ blockIndex, blockId: block.block_id, actionId: element.action_id, element, read }];
    });
  });
}

function readEntry(element: Readonly<Record<string, unknown>>, value: string): Entered {
  const type = String(element.type);
  const given = value === '' ? null : value;
  if (type === 'users_select') return { type, selected_user: given };
  if (type === 'channels_select') return { type, selected_channel: given };
  if (type === 'conversations_select') return { type, selected_conversation: given };
  if (type === 'datepicker') return { type, selected_date: given };
  if (type === 'timepicker') return { type, selected_time: given };
  if (type === 'datetimepicker') return { type, selected_date_time: given === null ? null : Number(given) };
  if (type === 'checkboxes' || type.startsWith('multi_')) {
    const wanted = value.split(',');
    return { type, selected_options: optionsOf(element).filter((each) => wanted.includes(String(each.value))) };
  }
  if (type === 'static_select' || type === 'radio_buttons' || type === 'external_select' || type === 'overflow') {
    return { type, selected_option: optionsOf(element).find((each) => each.value === value) ?? null };
  }
  return { type, value: given };
}

function optionsOf(element: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  const groups = Array.isArray(element.option_groups) ? element.option_groups.filter(isRecord) : [];
  const lists: unknown[] = [element.options, ...groups.map((group) => group.options)];
  return lists.flatMap((list) => (Array.isArray(list) ? list.filter(isRecord) : []));
}

/** `state.values` of a view_submission: every input block is in it, empty ones with null. */
export function entered(blocks: readonly LooseBlock[], values: ViewValues): Record<string, Record<string, Entered>> {
  const all: Record<string, Record<string, Entered>> = {};
  for (const control of controlsOf(blocks)) {
    if (control.element.type === 'button') continue;
    all[control.blockId] = { ...all[control.blockId], [control.actionId]: control.read(enteredText(control, values)) };
  }
  return all;
}

function enteredText(control: Control, values: ViewValues): string {
  const { initial_value: typed, initial_date: day, initial_option: option } = control.element;
  const initial = [typed, day, isRecord(option) ? option.value : undefined].find((each) => typeof each === 'string');
  return values[control.blockId] ?? values[control.actionId] ?? (typeof initial === 'string' ? initial : '');
}

/** What Slack itself refuses before it asks the app: required fields and lengths. Texts by block_id. */
export function inputProblems(blocks: readonly LooseBlock[], values: ViewValues): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const control of controlsOf(blocks)) {
    const block = blocks[control.blockIndex];
    if (block?.type !== 'input') continue;
    const value = enteredText(control, values);
    const { min_length: least, max_length: most } = control.element;
    if (value === '') {
      if (block.optional !== true) problems[control.blockId] = 'Please complete this required field.';
    } else if (typeof least === 'number' && value.length < least) {
      problems[control.blockId] = `Must be at least ${least} characters.`;
    } else if (value.length > (typeof most === 'number' ? most : 3000)) {
      problems[control.blockId] = `Must be ${typeof most === 'number' ? most : 3000} characters or fewer.`;
    }
  }
  return problems;
}
