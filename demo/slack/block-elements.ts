/** Interactive elements of Block Kit with their limits (DOMAIN.md 1.9). */
import { z } from 'zod';
import { richText } from './block-rich-text.ts';
import {
  actionId,
  anyText,
  confirm,
  httpUrl,
  imageElement,
  markedOption,
  optionGroup,
  plainOption,
  plainText,
  style,
} from './block-text.ts';

const actionable = { action_id: actionId };
const confirmable = { ...actionable, confirm: confirm.optional() };
const focusable = { focus_on_load: z.boolean().optional() };
const menu = { ...confirmable, ...focusable, placeholder: plainText(150).optional() };
const many = { ...menu, max_selected_items: z.number().int().min(1).optional() };
const dispatchable = {
  dispatch_action_config: z
    .strictObject({
      trigger_actions_on: z
        .array(z.enum(['on_enter_pressed', 'on_character_entered']))
        .min(1)
        .optional(),
    })
    .optional(),
};
const typed = { ...actionable, ...focusable, ...dispatchable, placeholder: plainText(150).optional() };
const ids = z.array(z.string().min(1));
const responsive = { response_url_enabled: z.boolean().optional() };
const filter = z
  .strictObject({
    include: z
      .array(z.enum(['im', 'mpim', 'private', 'public']))
      .min(1)
      .optional(),
    exclude_external_shared_channels: z.boolean().optional(),
    exclude_bot_users: z.boolean().optional(),
  })
  .optional();
const choices = {
  options: z.array(plainOption).min(1).max(100).optional(),
  option_groups: z.array(optionGroup).min(1).max(100).optional(),
};

function oneListOfChoices(select: { readonly options?: unknown; readonly option_groups?: unknown }): boolean {
  return (select.options === undefined) !== (select.option_groups === undefined);
}
const needsChoices = { error: 'must provide either options or option_groups' };

export const button = z.strictObject({
  ...confirmable,
  type: z.literal('button'),
  text: plainText(75),
  value: z.string().min(1).max(2000).optional(),
  url: httpUrl.optional(),
  style: style.optional(),
  accessibility_label: z.string().min(1).max(75).optional(),
});

const workflowButton = z.strictObject({
  ...confirmable,
  type: z.literal('workflow_button'),
  text: plainText(75),
  workflow: z.strictObject({
    trigger: z.strictObject({
      url: httpUrl,
      customizable_input_parameters: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
    }),
  }),
  style: style.optional(),
  accessibility_label: z.string().min(1).max(75).optional(),
});

const selects = [
  z
    .strictObject({ ...menu, ...choices, type: z.literal('static_select'), initial_option: plainOption.optional() })
    .refine(oneListOfChoices, needsChoices),
  z.strictObject({ ...menu, type: z.literal('users_select'), initial_user: z.string().optional() }),
  z.strictObject({
    ...menu,
    ...responsive,
    type: z.literal('conversations_select'),
    initial_conversation: z.string().optional(),
    default_to_current_conversation: z.boolean().optional(),
    filter,
  }),
  z.strictObject({
    ...menu,
    ...responsive,
    type: z.literal('channels_select'),
    initial_channel: z.string().optional(),
  }),
  z.strictObject({
    ...menu,
    type: z.literal('external_select'),
    initial_option: plainOption.optional(),
    min_query_length: z.number().int().min(0).optional(),
  }),
  z
    .strictObject({
      ...many,
      ...choices,
      type: z.literal('multi_static_select'),
      initial_options: z.array(plainOption).optional(),
    })
    .refine(oneListOfChoices, needsChoices),
  z.strictObject({ ...many, type: z.literal('multi_users_select'), initial_users: ids.optional() }),
  z.strictObject({
    ...many,
    type: z.literal('multi_conversations_select'),
    initial_conversations: ids.optional(),
    default_to_current_conversation: z.boolean().optional(),
    filter,
  }),
  z.strictObject({ ...many, type: z.literal('multi_channels_select'), initial_channels: ids.optional() }),
  z.strictObject({
    ...many,
    type: z.literal('multi_external_select'),
    initial_options: z.array(plainOption).optional(),
    min_query_length: z.number().int().min(0).optional(),
  }),
] as const;

const pickers = [
  z.strictObject({
    ...menu,
    type: z.literal('datepicker'),
    initial_date: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be in the format YYYY-MM-DD')
      .optional(),
  }),
  z.strictObject({
    ...menu,
    type: z.literal('timepicker'),
    initial_time: z
      .string()
      .regex(/^\d{2}:\d{2}$/, 'must be in the format HH:mm')
      .optional(),
    timezone: z.string().optional(),
  }),
  z.strictObject({
    ...confirmable,
    ...focusable,
    type: z.literal('datetimepicker'),
    initial_date_time: z.number().int().min(1_000_000_000).max(9_999_999_999).optional(),
  }),
  z.strictObject({
    ...confirmable,
    ...focusable,
    type: z.literal('checkboxes'),
    options: z.array(markedOption).min(1).max(10),
    initial_options: z.array(markedOption).min(1).optional(),
  }),
  z.strictObject({
    ...confirmable,
    ...focusable,
    type: z.literal('radio_buttons'),
    options: z.array(markedOption).min(1).max(10),
    initial_option: markedOption.optional(),
  }),
] as const;

const richTextInput = z.strictObject({
  ...typed,
  type: z.literal('rich_text_input'),
  initial_value: richText.optional(),
  min_lines: z.number().int().min(1).optional(),
  max_lines: z.number().int().min(1).optional(),
});

const inputs = [
  z.strictObject({
    ...typed,
    type: z.literal('plain_text_input'),
    initial_value: z.string().max(3000).optional(),
    multiline: z.boolean().optional(),
    min_length: z.number().int().min(0).max(3000).optional(),
    max_length: z.number().int().min(1).max(3000).optional(),
  }),
  z.strictObject({ ...typed, type: z.literal('email_text_input'), initial_value: z.string().optional() }),
  z.strictObject({ ...typed, type: z.literal('url_text_input'), initial_value: z.string().optional() }),
  z.strictObject({
    ...typed,
    type: z.literal('number_input'),
    is_decimal_allowed: z.boolean(),
    initial_value: z.string().optional(),
    min_value: z.string().optional(),
    max_value: z.string().optional(),
  }),
  z.strictObject({
    ...actionable,
    type: z.literal('file_input'),
    filetypes: z.array(z.string()).min(1).optional(),
    max_files: z.number().int().min(1).max(10).optional(),
  }),
] as const;

const overflow = z.strictObject({
  ...confirmable,
  type: z.literal('overflow'),
  options: z.array(plainOption).min(1).max(5),
});

export const actionsElement = z.discriminatedUnion('type', [
  button,
  workflowButton,
  overflow,
  richTextInput,
  ...selects,
  ...pickers,
]);
export const accessory = z.discriminatedUnion('type', [
  button,
  workflowButton,
  overflow,
  imageElement,
  ...selects,
  ...pickers,
]);
export const inputElement = z.discriminatedUnion('type', [richTextInput, ...inputs, ...selects, ...pickers]);

const feedback = z.strictObject({
  text: plainText(75),
  accessibility_label: z.string().min(1).max(75).optional(),
  value: z.string().min(1).max(2000),
});
export const contextAction = z.discriminatedUnion('type', [
  z.strictObject({
    ...actionable,
    type: z.literal('feedback_buttons'),
    positive_button: feedback,
    negative_button: feedback,
  }),
  z.strictObject({
    ...confirmable,
    type: z.literal('icon_button'),
    icon: z.string().min(1),
    text: plainText(75),
    accessibility_label: z.string().min(1).max(75).optional(),
    value: z.string().min(1).max(2000).optional(),
    visible_to_user_ids: ids.optional(),
  }),
]);
export const contextElement = z.discriminatedUnion('type', [imageElement, anyText(3000)]);
