/** response_url: a bearer secret for one person in one channel, 30 minutes, five uses (DOMAIN.md 1.2). */
import { randomBytes } from 'node:crypto';
import { isRecord, isTrue } from './body.ts';
import { appAuthor, readContent } from './chat-methods.ts';
import type { State } from './state.ts';
import { demoIds } from './workspace.ts';

const livesMs = 30 * 60_000;
const maxUses = 5;

interface Grant {
  readonly userId: string;
  readonly channel: string;
  readonly until: number;
  /** The message whose button was pressed. */
  readonly original?: { readonly ts: string; readonly isEphemeral: boolean } | undefined;
  uses: number;
}

export type ResponseUrls = ReturnType<typeof createResponseUrls>;

export function createResponseUrls(state: State) {
  const grants = new Map<string, Grant>();

  return {
    /** A path to add to the server's address. */
    mint(kind: 'commands' | 'actions', grant: Pick<Grant, 'userId' | 'channel' | 'original'>): string {
      const path = `/${kind}/${demoIds.team}/${Date.now()}/${randomBytes(18).toString('base64url')}`;
      grants.set(path, { ...grant, until: Date.now() + livesMs, uses: 0 });
      return path;
    },
    /** Undefined where the path is none of ours. */
    answer(path: string, body: unknown): { status: number; text: string } | undefined {
      const grant = grants.get(path);
      if (!grant) return /^\/(?:commands|actions)\//.test(path) ? { status: 404, text: 'no_team' } : undefined;
      if (grant.uses >= maxUses) return { status: 404, text: JSON.stringify({ ok: false, error: 'used_url' }) };
      if (Date.now() > grant.until) return { status: 404, text: JSON.stringify({ ok: false, error: 'expired_url' }) };
      if (!isRecord(body)) return { status: 400, text: 'invalid_payload' };
      grant.uses += 1;
      const refused = applyAnswer(state, grant, body);
      return refused === undefined ? { status: 200, text: 'ok' } : { status: 400, text: refused };
    },
  };
}

/**
 * Carries out what an app answers to a command or to a response URL: a new message in the channel, an ephemeral one,
 * a replaced or deleted original. Returns Slack's error word where the content is refused.
 */
export function applyAnswer(
  state: State,
  place: Pick<Grant, 'userId' | 'channel' | 'original'>,
  answer: Readonly<Record<string, unknown>>,
): string | undefined {
  const { channel, userId, original } = place;
  if (isTrue(answer.delete_original) && original) {
    if (!original.isEphemeral) state.remove(channel, original.ts);
    const at = state.ephemerals.findIndex((each) => each.ts === original.ts);
    if (original.isEphemeral && at >= 0) state.ephemerals.splice(at, 1);
    state.changed();
    return undefined;
  }
  const content = readContent({ state, args: answer });
  if ('refused' in content) return content.refused.error;
  if (isTrue(answer.replace_original) && original) {
    const at = state.ephemerals.findIndex((each) => each.ts === original.ts);
    const ephemeral = state.ephemerals[at];
    const old = state.find(channel, original.ts);
    if (ephemeral) {
      const { blocks: _dropped, ...kept } = ephemeral;
      state.ephemerals[at] = { ...kept, ...content };
      state.changed();
    } else if (old) {
      const { blocks: _dropped, ...kept } = old;
      state.replace({ ...kept, ...content });
    }
    return undefined;
  }
  const ts = state.nextTs();
  const thread = typeof answer.thread_ts === 'string' ? { thread_ts: answer.thread_ts } : {};
  if (answer.response_type === 'in_channel') {
    state.add({ ...appAuthor, subtype: 'bot_message', ts, channel, ...content, ...thread });
  } else {
    state.addEphemeral({
      ...appAuthor,
      is_ephemeral: true,
      to: userId,
      from: 'app',
      ts,
      channel,
      ...content,
      ...thread,
    });
  }
  return undefined;
}
