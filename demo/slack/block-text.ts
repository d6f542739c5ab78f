/** Composition objects of Block Kit with their limits (DOMAIN.md 1.9): text, options, confirm dialogs, pictures. */
import { z } from 'zod';

/** A plain_text object of 1 to `max` characters. */
export function plainText(max: number) {
  return z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  });
}

/** A mrkdwn object of 1 to `max` characters. */
export function mrkdwn(max: number) {
  return z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(max),
    verbatim: z.boolean().optional(),
  });
}

export function anyText(max: number) {
  return z.discriminatedUnion('type', [plainText(max), mrkdwn(max)]);
}

export const blockId = z.string().min(1).max(255).optional();
export const actionId = z.string().min(1).max(255).optional();
export const httpUrl = z
  .string()
  .max(3000)
  .regex(/^https?:\/\/\S+$/i, 'must be a valid http or https URL');

const option = { value: z.string().min(1).max(150).optional(), description: plainText(75).optional() };
/** Options of selects and overflow menus: plain text only. */
export const plainOption = z.strictObject({ ...option, text: plainText(75), url: httpUrl.optional() });
/** Options of checkboxes and radio buttons. */
export const markedOption = z.strictObject({ ...option, text: anyText(75) });
export const optionGroup = z.strictObject({ label: plainText(75), options: z.array(plainOption).min(1).max(100) });

export const style = z.enum(['primary', 'danger']);

export const confirm = z.strictObject({
  title: plainText(100).optional(),
  text: anyText(300),
  confirm: plainText(30).optional(),
  deny: plainText(30).optional(),
  style: style.optional(),
});

const slackFile = z.union([z.strictObject({ id: z.string().min(1) }), z.strictObject({ url: httpUrl })]);

/** The fields that every picture has; `withSource` adds the rule that exactly one source is named. */
export const pictureFields = {
  type: z.literal('image'),
  alt_text: z.string().min(1).max(2000),
  image_url: httpUrl.optional(),
  slack_file: slackFile.optional(),
};

export function hasOneSource(picture: { readonly image_url?: unknown; readonly slack_file?: unknown }): boolean {
  return (picture.image_url === undefined) !== (picture.slack_file === undefined);
}

export const imageElement = z.strictObject(pictureFields).refine(hasOneSource, {
  error: 'must provide either image_url or slack_file',
});
