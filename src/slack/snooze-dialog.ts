/** The dialog of the button Snooze: the view that Slack shows, and what comes back from it (DOMAIN.md 1.3, 1.9). */
import type { SnoozeAsked } from '../contracts/chat.ts';
import { asObject, asText } from './people.ts';

const snoozeCallback = 'snooze';
const reasonBlock = 'snooze-reason';
const hoursBlock = 'snooze-hours';
const dayBlock = 'snooze-day';

const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });

/** The view for `views.open`. What is muted may hold names from outside: it is plain text. */
export function snoozeView({ what, spans, usual, ...place }: SnoozeAsked): object {
  const options = spans.map(({ hours, label }) => ({ text: plain(label), value: String(hours) }));
  const initial = options.find(({ value }) => value === String(usual));
  return {
    type: 'modal',
    callback_id: snoozeCallback,
    private_metadata: JSON.stringify(place),
    title: plain('Snooze'),
    submit: plain('Snooze'),
    close: plain('Cancel'),
    blocks: [
      { type: 'section', text: plain(what.slice(0, 2_900)) },
      {
        type: 'input',
        block_id: reasonBlock,
        label: plain('Why?'),
        hint: plain('It is shown with the snooze and goes into the audit.'),
        element: { type: 'plain_text_input', action_id: 'reason', min_length: 3, max_length: 300 },
      },
      {
        type: 'input',
        block_id: hoursBlock,
        optional: true,
        label: plain('For how long?'),
        element: {
          type: 'static_select',
          action_id: 'hours',
          options,
          ...(initial === undefined ? {} : { initial_option: initial }),
        },
      },
      {
        type: 'input',
        block_id: dayBlock,
        optional: true,
        label: plain('Or to the end of a day'),
        hint: plain('To midnight UTC; it wins over the span above.'),
        element: { type: 'datepicker', action_id: 'day' },
      },
    ],
  };
}

/** A submitted snooze, as it was typed. */
export interface SnoozeRequest {
  /** The same for a repeat of the same delivery. */
  readonly key: string;
  readonly userId: string;
  readonly button: string;
  readonly channelId: string;
  readonly reason: string;
  readonly hours?: number;
  /** `2026-12-31`. */
  readonly day?: string;
}

/** What is wrong, and where in the dialog. */
export interface SnoozeProblem {
  readonly at: 'reason' | 'hours' | 'day';
  readonly words: string;
}

/** Undefined where the body is no submission of our dialog. */
export function snoozeOf(body: Readonly<Record<string, unknown>>, key: string): SnoozeRequest | undefined {
  const view = asObject(body.view);
  const userId = asText(asObject(body.user).id);
  if (view.callback_id !== snoozeCallback || userId === undefined) return undefined;
  const place = placeOf(asText(view.private_metadata) ?? '');
  const button = asText(place.button);
  const channelId = asText(place.channelId);
  if (button === undefined || channelId === undefined) return undefined;
  const values = asObject(asObject(view.state).values);
  const reason = asText(asObject(asObject(values[reasonBlock]).reason).value) ?? '';
  const chosen = asText(asObject(asObject(asObject(values[hoursBlock]).hours).selected_option).value) ?? '';
  const day = asText(asObject(asObject(values[dayBlock]).day).selected_date);
  return {
    ...{ key, userId, button, channelId, reason },
    ...(/^\d{1,5}$/.test(chosen) ? { hours: Number(chosen) } : {}),
    ...(day === undefined ? {} : { day }),
  };
}

function placeOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Slack shows it under the field, and the dialog stays open. */
export function snoozeProblem({ at, words }: SnoozeProblem): {
  response_action: 'errors';
  errors: Record<string, string>;
} {
  const block = { reason: reasonBlock, hours: hoursBlock, day: dayBlock }[at];
  return { response_action: 'errors', errors: { [block]: words } };
}
