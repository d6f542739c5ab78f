/** auth, conversations, users, user groups, reactions, pins, bookmarks: what an app reads and the small writes. */
import { isTrue, textArgument } from './body.ts';
import { present } from './chat-methods.ts';
import { newId } from './state.ts';
import { type ApiCall, channelOf, type Method, missing, page, type Reply, refusal } from './web-api.ts';
import { type Channel, demoIds, type Person } from './workspace.ts';

function authTest(call: ApiCall): Reply {
  return {
    ok: true,
    url: `${call.url}/`,
    team: demoIds.teamName,
    user: 'firebreak',
    team_id: demoIds.team,
    user_id: demoIds.botUser,
    bot_id: demoIds.bot,
    is_enterprise_install: false,
  };
}

function channelObject(call: ApiCall, channel: Channel): Record<string, unknown> {
  const members = [...call.state.people.keys()].filter((id) => call.state.isIn(channel, id));
  const isDirect = channel.directWith !== undefined;
  return {
    id: channel.id,
    ...(isDirect ? { user: channel.directWith } : { name: channel.name, name_normalized: channel.name }),
    is_channel: !isDirect && !channel.isPrivate,
    is_group: false,
    is_im: isDirect,
    is_mpim: false,
    is_private: isDirect || channel.isPrivate === true,
    is_archived: channel.isArchived === true,
    is_general: channel.name === 'general',
    is_shared: channel.isExtShared === true,
    is_ext_shared: channel.isExtShared === true,
    is_pending_ext_shared: false,
    is_org_shared: false,
    is_member: channel.isMember,
    context_team_id: demoIds.team,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    purpose: { value: '', creator: '', last_set: 0 },
    num_members: members.length,
  };
}

function personObject(call: ApiCall, person: Person): Record<string, unknown> {
  const mayReadEmail = call.scopes.includes('users:read.email') && person.email !== undefined;
  return {
    id: person.id,
    team_id: person.teamId,
    name: person.name,
    deleted: person.deleted === true,
    real_name: person.realName,
    tz: 'Etc/UTC',
    tz_offset: 0,
    profile: {
      real_name: person.realName,
      display_name: person.name,
      team: person.teamId,
      ...(mayReadEmail ? { email: person.email } : {}),
    },
    is_admin: false,
    is_owner: false,
    is_bot: person.isBot === true,
    is_app_user: false,
    is_restricted: person.isRestricted === true || person.isUltraRestricted === true,
    is_ultra_restricted: person.isUltraRestricted === true,
    ...(person.isStranger ? { is_stranger: true } : {}),
    updated: 0,
  };
}

function inChannel(act: (call: ApiCall, channel: Channel) => Reply): Method {
  return (call) => {
    const place = channelOf(call);
    return 'refused' in place ? place.refused : act(call, place.channel);
  };
}

function history(call: ApiCall, channel: Channel): Reply {
  if (!channel.isMember) return refusal('not_in_channel');
  const { args, state } = call;
  const inclusive = isTrue(args.inclusive);
  const latest = textArgument(args, 'latest');
  const oldest = textArgument(args, 'oldest');
  const list = state
    .in(channel.id)
    .filter((each) => each.thread_ts === undefined || each.thread_ts === each.ts || each.subtype === 'thread_broadcast')
    .filter((each) => latest === undefined || each.ts < latest || (inclusive && each.ts === latest))
    .filter((each) => oldest === undefined || each.ts > oldest || (inclusive && each.ts === oldest))
    .toReversed();
  const { items, hasMore, cursor } = page(list, args, 999);
  const metadata = isTrue(args.include_all_metadata);
  return {
    ok: true,
    messages: items.map((each) => present(state, each, metadata)),
    has_more: hasMore,
    pin_count: 0,
    ...(hasMore ? { response_metadata: { next_cursor: cursor } } : {}),
  };
}

function replies(call: ApiCall, channel: Channel): Reply {
  if (!channel.isMember) return refusal('not_in_channel');
  const ts = textArgument(call.args, 'ts');
  if (ts === undefined) return missing('ts');
  const asked = call.state.find(channel.id, ts);
  const parent = asked && call.state.find(channel.id, asked.thread_ts ?? asked.ts);
  if (!parent) return refusal('thread_not_found');
  const inclusive = isTrue(call.args.inclusive);
  const latest = textArgument(call.args, 'latest');
  const oldest = textArgument(call.args, 'oldest');
  const below = call.state
    .in(channel.id)
    .filter((each) => each.thread_ts === parent.ts && each.ts !== parent.ts)
    .filter((each) => latest === undefined || each.ts < latest || (inclusive && each.ts === latest))
    .filter((each) => oldest === undefined || each.ts > oldest || (inclusive && each.ts === oldest));
  const { items, hasMore, cursor } = page(below, call.args, 999);
  const metadata = isTrue(call.args.include_all_metadata);
  return {
    ok: true,
    messages: [parent, ...items].map((each) => present(call.state, each, metadata)),
    has_more: hasMore,
    ...(hasMore ? { response_metadata: { next_cursor: cursor } } : {}),
  };
}

function list(call: ApiCall): Reply {
  const archived = !isTrue(call.args.exclude_archived);
  const all = [...call.state.channels.values()].filter(
    (each) => each.directWith === undefined && (archived || !each.isArchived) && (!each.isPrivate || each.isMember),
  );
  const { items, cursor } = page(all, call.args, 1000);
  const channels = items.map((each) => channelObject(call, each));
  return { ok: true, channels, response_metadata: { next_cursor: cursor } };
}

function members(call: ApiCall, channel: Channel): Reply {
  const ids = [...call.state.people.keys(), demoIds.botUser].filter((id) => call.state.isIn(channel, id));
  const { items, cursor } = page(ids, call.args, 1000);
  return { ok: true, members: items, response_metadata: { next_cursor: cursor } };
}

function join(call: ApiCall, channel: Channel): Reply {
  if (channel.isPrivate) return refusal('method_not_supported_for_channel_type');
  if (channel.isArchived) return refusal('is_archived');
  const joined = { ...channel, isMember: true };
  call.state.channels.set(channel.id, joined);
  call.state.changed();
  return { ok: true, channel: channelObject(call, joined) };
}

function open(call: ApiCall): Reply {
  const person = call.state.people.get(String(call.args.users ?? ''));
  if (!person || person.deleted) return refusal('user_not_found');
  return { ok: true, channel: { id: call.state.directMessage(person.id).id } };
}

function usersInfo(call: ApiCall): Reply {
  const person = call.state.people.get(String(call.args.user ?? ''));
  return person ? { ok: true, user: personObject(call, person) } : refusal('user_not_found');
}

function usersList(call: ApiCall): Reply {
  const { items, cursor } = page([...call.state.people.values()], call.args, 1000);
  const people = items.map((each) => personObject(call, each));
  return { ok: true, members: people, cache_ts: 0, response_metadata: { next_cursor: cursor } };
}

function lookupByEmail(call: ApiCall): Reply {
  const email = String(call.args.email ?? '').toLowerCase();
  const person = [...call.state.people.values()].find((each) => each.email?.toLowerCase() === email && !each.deleted);
  return person ? { ok: true, user: personObject(call, person) } : refusal('users_not_found');
}

function groupsList(call: ApiCall): Reply {
  const groups = [...call.state.groups.values()].map((group) => ({
    id: group.id,
    team_id: demoIds.team,
    is_usergroup: true,
    handle: group.handle,
    name: group.name,
    date_delete: 0,
    user_count: group.users.length,
    ...(isTrue(call.args.include_users) ? { users: group.users } : {}),
  }));
  return { ok: true, usergroups: groups };
}

function groupUsers(call: ApiCall): Reply {
  const group = call.state.groups.get(String(call.args.usergroup ?? ''));
  return group ? { ok: true, users: group.users } : refusal('no_such_subteam');
}

function react(call: ApiCall, channel: Channel): Reply {
  const message = call.state.find(channel.id, textArgument(call.args, 'timestamp') ?? '');
  const name = textArgument(call.args, 'name');
  if (!message) return refusal('message_not_found');
  if (name === undefined || !/^[a-z0-9_+'-]+$/.test(name)) return refusal('invalid_name');
  const others = (message.reactions ?? []).filter((each) => each.name !== name);
  const users = (message.reactions ?? []).find((each) => each.name === name)?.users ?? [];
  if (users.includes(demoIds.botUser)) return refusal('already_reacted');
  const now = [...users, demoIds.botUser];
  call.state.replace({ ...message, reactions: [...others, { name, users: now, count: now.length }] });
  return { ok: true };
}

function pin(call: ApiCall, channel: Channel): Reply {
  const message = call.state.find(channel.id, textArgument(call.args, 'timestamp') ?? '');
  if (!message) return refusal('message_not_found');
  if (message.pinned) return refusal('already_pinned');
  call.state.replace({ ...message, pinned: true });
  return { ok: true };
}

function bookmark(call: ApiCall): Reply {
  const channel = call.state.channels.get(String(call.args.channel_id ?? ''));
  if (!channel) return refusal('channel_not_found');
  const title = textArgument(call.args, 'title');
  if (title === undefined) return missing('title');
  if (call.args.type !== 'link') return refusal('invalid_bookmark_type');
  const made = {
    id: newId('Bk'),
    channel_id: channel.id,
    title,
    link: textArgument(call.args, 'link') ?? '',
    type: 'link',
  };
  call.state.bookmarks.push(made);
  return { ok: true, bookmark: made };
}

export const peopleMethods: Readonly<Record<string, Method>> = {
  'api.test': (call) => (call.args.error ? refusal(String(call.args.error)) : { ok: true, args: call.args }),
  'auth.test': authTest,
  'conversations.info': inChannel((call, channel) => ({ ok: true, channel: channelObject(call, channel) })),
  'conversations.history': inChannel(history),
  'conversations.replies': inChannel(replies),
  'conversations.list': list,
  'conversations.members': inChannel(members),
  'conversations.join': inChannel(join),
  'conversations.open': open,
  'users.info': usersInfo,
  'users.list': usersList,
  'users.lookupByEmail': lookupByEmail,
  'usergroups.list': groupsList,
  'usergroups.users.list': groupUsers,
  'reactions.add': inChannel(react),
  'pins.add': inChannel(pin),
  'bookmarks.add': bookmark,
};
