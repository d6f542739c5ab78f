/** What Slack sends, parsed at the door (DOMAIN.md 1.2, 1.3). Odd fields become absent ones; nothing here throws. */
import { type ButtonAction, buttonActions } from '../contracts/message.ts';
import { asObject, asText } from './people.ts';

/** One slash command. `text` is what the person typed, with Slack's escapes undone. */
export interface CommandRequest {
  /** The same for a repeat of the same delivery. */
  readonly key: string;
  readonly userId: string;
  /** For display only: people can change it. */
  readonly userName?: string;
  readonly teamId: string;
  readonly enterpriseId?: string;
  readonly channelId: string;
  readonly text: string;
  readonly threadTs?: string;
  /** Opens a dialog, once, within 3 s. */
  readonly triggerId?: string;
}

/** One pressed button. */
export interface ActionRequest {
  /** The same for a repeat of the same delivery. */
  readonly key: string;
  readonly action: ButtonAction;
  readonly value: string;
  readonly userId: string;
  readonly teamId: string;
  readonly channelId: string;
  readonly messageTs: string;
  /** The thread that the message stands in; absent for a message of the channel itself. */
  readonly threadTs?: string;
  /** A button of an ephemeral message: it cannot be updated. */
  readonly ephemeral: boolean;
  /** Opens a dialog, once, within 3 s. */
  readonly triggerId?: string;
  /** When it was pressed, by Slack's clock, ISO 8601 UTC; absent where Slack did not say. */
  readonly pressedAt?: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Undoes `should_escape` and what clients do to pasted text: `<https://a|label>` is the label that was typed, `<mailto:..>`
 * its address, entities are characters again. Mentions of people, channels and groups stay as they are.
 */
function typedText(text: string): string {
  return text
    .replaceAll(/<((?:https?|mailto|tel):[^<>|]*)(?:\|([^<>]*))?>/gu, (_, url: string, label: string | undefined) =>
      label === undefined || label === '' ? url.replace(/^(?:mailto|tel):/u, '') : label,
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** Undefined when it names no person or channel: then it is not Slack's. */
export function commandOf(body: Json, key: string): CommandRequest | undefined {
  const userId = asText(body.user_id);
  const channelId = asText(body.channel_id);
  if (userId === undefined || channelId === undefined) return undefined;
  const userName = asText(body.user_name);
  const enterpriseId = asText(body.enterprise_id);
  const threadTs = asText(body.thread_ts);
  const triggerId = asText(body.trigger_id);
  return {
    key,
    userId,
    teamId: asText(body.team_id) ?? '',
    channelId,
    text: typedText(asText(body.text) ?? ''),
    ...(userName === undefined ? {} : { userName }),
    ...(enterpriseId === undefined ? {} : { enterpriseId }),
    ...(threadTs === undefined ? {} : { threadTs }),
    ...(triggerId === undefined ? {} : { triggerId }),
  };
}

function pressedAt(action: Json): string | undefined {
  const stamp = asText(action.action_ts);
  if (stamp === undefined || !/^\d{1,12}(?:\.\d{1,9})?$/u.test(stamp)) return undefined;
  return new Date(Number(stamp) * 1_000).toISOString();
}

/** The buttons of the external contract among `actions[]`; others are not ours to handle. */
export function actionsOf(body: Json, key: string): readonly ActionRequest[] {
  const user = asObject(body.user);
  const container = asObject(body.container);
  const message = asObject(body.message);
  const userId = asText(user.id);
  const channelId = asText(asObject(body.channel).id) ?? asText(container.channel_id);
  const messageTs = asText(container.message_ts) ?? asText(message.ts);
  if (userId === undefined || channelId === undefined || messageTs === undefined) return [];
  const threadTs = asText(message.thread_ts) ?? asText(container.thread_ts);
  const triggerId = asText(body.trigger_id);
  const list = Array.isArray(body.actions) ? body.actions.map(asObject) : [];
  return list.flatMap((pressed, index): ActionRequest[] => {
    const action = buttonActions.find((known) => known === pressed.action_id);
    const value = asText(pressed.value);
    if (action === undefined || value === undefined || value.length > 2_000 || pressed.type !== 'button') return [];
    const at = pressedAt(pressed);
    return [
      {
        key: `${key}:${index}`,
        action,
        value,
        userId,
        // A person of another company in a shared channel has a team of his own (DOMAIN.md 1.14).
        teamId: asText(user.team_id) ?? asText(asObject(body.team).id) ?? '',
        channelId,
        messageTs,
        ephemeral: container.is_ephemeral === true,
        // The parent of a thread carries its own ts as thread_ts.
        ...(threadTs === undefined || threadTs === messageTs ? {} : { threadTs }),
        ...(triggerId === undefined ? {} : { triggerId }),
        ...(at === undefined ? {} : { pressedAt: at }),
      },
    ];
  });
}

/** Whether Bolt can walk the body without tripping: the shapes that it takes for granted. */
export function isWellFormed(body: Json): boolean {
  if ('event' in body) return body.type === 'event_callback' && asText(asObject(body.event).type) !== undefined;
  if ('command' in body) return asText(body.command) !== undefined && commandOf(body, '') !== undefined;
  if (asText(body.type) === undefined || asText(asObject(body.user).id) === undefined) return false;
  if (body.type === 'view_submission' || body.type === 'view_closed') return 'id' in asObject(body.view);
  if (body.type !== 'block_actions') return true;
  return Array.isArray(body.actions) && body.actions.length > 0 && body.actions.every((one) => 'type' in asObject(one));
}
