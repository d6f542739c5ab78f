/** The dialog that asks for a one-time code on approval: the view that Slack shows, and what comes back (DOMAIN.md 1.3). */
import { asObject, asText } from './people.ts';

const codeCallback = 'code';
const codeBlock = 'code-text';

/** What the click was about. The button is an opaque id; the rest is where to answer. */
export interface CodeAsked {
  readonly button: string;
  readonly channelId: string;
  readonly threadTs?: string | undefined;
  /** What is to be approved, in plain words. */
  readonly what: string;
}

/** The view for `views.open`. */
export function codeView({ what, ...place }: CodeAsked): object {
  return {
    type: 'modal',
    callback_id: codeCallback,
    private_metadata: JSON.stringify(place),
    title: { type: 'plain_text', text: 'One-time code', emoji: false },
    submit: { type: 'plain_text', text: 'Approve', emoji: false },
    close: { type: 'plain_text', text: 'Cancel', emoji: false },
    blocks: [
      { type: 'section', text: { type: 'plain_text', text: what.slice(0, 2_900), emoji: false } },
      {
        type: 'input',
        block_id: codeBlock,
        label: { type: 'plain_text', text: 'Code of your authenticator app', emoji: false },
        hint: { type: 'plain_text', text: 'It counts once, for this plan only.', emoji: false },
        element: { type: 'plain_text_input', action_id: 'code', min_length: 6, max_length: 9 },
      },
    ],
  };
}

/** A submitted code. */
export interface CodeRequest {
  /** The same for a repeat of the same delivery. */
  readonly key: string;
  readonly userId: string;
  readonly button: string;
  readonly channelId: string;
  readonly threadTs?: string;
  readonly code: string;
}

/** Undefined where the body is no submission of our dialog. */
export function codeOf(body: Readonly<Record<string, unknown>>, key: string): CodeRequest | undefined {
  const view = asObject(body.view);
  const userId = asText(asObject(body.user).id);
  if (view.callback_id !== codeCallback || userId === undefined) return undefined;
  const place = placeOf(asText(view.private_metadata) ?? '');
  const code = asText(asObject(asObject(asObject(asObject(view.state).values)[codeBlock]).code).value) ?? '';
  const button = asText(place.button);
  const channelId = asText(place.channelId);
  const threadTs = asText(place.threadTs);
  if (button === undefined || channelId === undefined) return undefined;
  return { key, userId, button, channelId, code, ...(threadTs === undefined ? {} : { threadTs }) };
}

function placeOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Slack shows it under the code, and the dialog stays open. */
export function codeProblem(words: string): { response_action: 'errors'; errors: Record<string, string> } {
  return { response_action: 'errors', errors: { [codeBlock]: words } };
}
