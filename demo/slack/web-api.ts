/** What a Web API method is here, and the rules that all of them share: errors, scopes, pages. */
import type { State } from './state.ts';
import type { Channel } from './workspace.ts';

export type Reply = { readonly ok: boolean; readonly error?: string } & Readonly<Record<string, unknown>>;

export interface ApiCall {
  readonly state: State;
  readonly args: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Takes a trigger id out of use. Returns whose it is, or Slack's error word. */
  takeTrigger(id: string): { readonly userId: string } | { readonly error: string };
}

export type Method = (call: ApiCall) => Reply;

/** Slack's form of a refusal. `messages` go to `response_metadata`, as the SDK logs them. */
export function refusal(error: string, messages: readonly string[] = []): Reply {
  return messages.length === 0 ? { ok: false, error } : { ok: false, error, response_metadata: { messages } };
}

export function missing(field: string): Reply {
  return refusal('invalid_arguments', [`[ERROR] missing required field: ${field}`]);
}

/** The scopes of deploy-time: what an app of this kind asks for (DOMAIN.md 1.16). */
export const defaultScopes = [
  'commands',
  'chat:write',
  'users:read',
  'users:read.email',
  'usergroups:read',
  'channels:read',
  'groups:read',
  'channels:history',
  'groups:history',
  'files:write',
  'files:read',
  'pins:write',
  'bookmarks:write',
  'reactions:write',
  'im:write',
  'channels:join',
] as const;

const needs: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^chat\.(?:postMessage|postEphemeral|update|delete)$/, ['chat:write']],
  [/^conversations\.(?:history|replies)$/, ['channels:history', 'groups:history', 'im:history']],
  [/^conversations\.(?:info|list|members)$/, ['channels:read', 'groups:read', 'im:read']],
  [/^conversations\.join$/, ['channels:join']],
  [/^conversations\.open$/, ['im:write']],
  [/^users\.lookupByEmail$/, ['users:read.email']],
  [/^users\./, ['users:read']],
  [/^usergroups\./, ['usergroups:read']],
  [/^files\.info$/, ['files:read']],
  [/^files\./, ['files:write']],
  [/^reactions\./, ['reactions:write']],
  [/^pins\./, ['pins:write']],
  [/^bookmarks\./, ['bookmarks:write']],
];

/** Undefined where the scopes allow the method. Any one of the method's scopes is enough. */
export function scopeRefusal(method: string, scopes: readonly string[]): Reply | undefined {
  const needed = needs.find(([pattern]) => pattern.test(method))?.[1];
  if (needed === undefined || needed.some((scope) => scopes.includes(scope))) return undefined;
  return { ok: false, error: 'missing_scope', needed: needed.join(','), provided: scopes.join(',') };
}

/** One page of a list by Slack's cursor. `limit` beyond `most` is cut. */
export function page<T>(
  list: readonly T[],
  args: Readonly<Record<string, unknown>>,
  most: number,
): { items: readonly T[]; hasMore: boolean; cursor: string } {
  const limit = Math.min(Math.max(Math.trunc(Number(args.limit ?? 100)) || 100, 1), most);
  const start =
    Number(
      Buffer.from(String(args.cursor ?? ''), 'base64')
        .toString('utf8')
        .replace('next:', ''),
    ) || 0;
  const items = list.slice(start, start + limit);
  const hasMore = start + limit < list.length;
  return { items, hasMore, cursor: hasMore ? Buffer.from(`next:${start + limit}`).toString('base64') : '' };
}

/** The channel of a call by id or `#name`, or Slack's refusal. */
export function channelOf(call: ApiCall, name = 'channel'): { channel: Channel } | { refused: Reply } {
  const asked = String(call.args[name] ?? '');
  if (asked === '') return { refused: missing(name) };
  const byName = [...call.state.channels.values()].find((each) => `#${each.name}` === asked);
  const channel = call.state.channels.get(asked) ?? byName;
  if (!channel || (channel.isPrivate && !channel.isMember)) return { refused: refusal('channel_not_found') };
  return { channel };
}
