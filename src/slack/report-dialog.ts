/** The dialog of `/ir report`: the view that Slack shows, and what comes back from it (DOMAIN.md 1.3). */
import { asObject, asText } from './people.ts';

const reportCallback = 'report';
const textBlock = 'report-text';
const urgencyBlock = 'report-urgency';

const urgencies = [
  ['critical', 'Critical: it happens now'],
  ['high', 'High'],
  ['medium', 'Medium'],
  ['low', 'Low: a hunch'],
] as const;

function option(value: string, label: string): object {
  return { text: { type: 'plain_text', text: label, emoji: false }, value };
}

/** The view for `views.open`. Fixed words only. */
export function reportView(): object {
  return {
    type: 'modal',
    callback_id: reportCallback,
    title: { type: 'plain_text', text: 'Report an incident', emoji: false },
    submit: { type: 'plain_text', text: 'Open a case', emoji: false },
    close: { type: 'plain_text', text: 'Cancel', emoji: false },
    blocks: [
      {
        type: 'input',
        block_id: textBlock,
        label: { type: 'plain_text', text: 'What do you know?', emoji: false },
        hint: {
          type: 'plain_text',
          text: 'Paste the e-mail, or say what you saw. ARNs, access keys, IP addresses, resource ids and accounts are found in it, defanged ones too. Leave out passwords and secret keys.',
          emoji: false,
        },
        element: { type: 'plain_text_input', action_id: 'text', multiline: true, max_length: 3_000 },
      },
      {
        type: 'input',
        block_id: urgencyBlock,
        optional: true,
        label: { type: 'plain_text', text: 'How urgent is it?', emoji: false },
        element: {
          type: 'static_select',
          action_id: 'urgency',
          placeholder: { type: 'plain_text', text: 'High, where nothing is chosen', emoji: false },
          options: urgencies.map(([value, label]) => option(value, label)),
        },
      },
    ],
  };
}

/** A submitted report. */
export interface ReportRequest {
  /** The same for a repeat of the same delivery. */
  readonly key: string;
  readonly userId: string;
  readonly text: string;
  readonly urgency?: (typeof urgencies)[number][0];
}

/** Undefined where the body is no submission of our dialog. */
export function reportOf(body: Readonly<Record<string, unknown>>, key: string): ReportRequest | undefined {
  const view = asObject(body.view);
  const userId = asText(asObject(body.user).id);
  if (view.callback_id !== reportCallback || userId === undefined) return undefined;
  const values = asObject(asObject(view.state).values);
  const text = asText(asObject(asObject(values[textBlock]).text).value) ?? '';
  const chosen = asObject(asObject(asObject(values[urgencyBlock]).urgency).selected_option).value;
  const urgency = urgencies.find(([value]) => value === chosen)?.[0];
  return { key, userId, text, ...(urgency === undefined ? {} : { urgency }) };
}

/** Slack shows it under the text, and the dialog stays open. */
export function reportProblem(words: string): { response_action: 'errors'; errors: Record<string, string> } {
  return { response_action: 'errors', errors: { [textBlock]: words } };
}
