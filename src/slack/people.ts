/** Who a Slack user id is (DOMAIN.md 1.14). What cannot be read counts against the person: callers fail closed. */
import type { Chat, PersonProfile } from '../contracts/chat.ts';
import type { Clock } from '../contracts/clock.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { inert } from '../domain/inert.ts';
import { openCache } from './pacing.ts';
import { isUserId } from './rich-text.ts';
import type { WebApi } from './web-api.ts';

/** Our own workspace, from auth.test. */
interface Home {
  readonly teamId: string;
  readonly enterpriseId: string | undefined;
  readonly botId: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

interface People {
  /** Asked once; a failure is asked again. Throws UpstreamError. */
  home(): Promise<Home>;
  person: Chat['person'];
  groupMembers: Chat['groupMembers'];
}

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unexpected(method: string): UpstreamError {
  return new UpstreamError('slack', 'unexpected_answer', `Slack ${method}: an answer that cannot be used`, {
    retryable: true,
  });
}

/** Reads users.info's `user`. A team that is not ours, or none at all, is a stranger. */
function profileOf(user: Json, home: Home): PersonProfile {
  const profile = asObject(user.profile);
  const enterprise = asObject(user.enterprise_user);
  const teamId = asText(user.team_id);
  const enterpriseId = asText(enterprise.enterprise_id);
  const ours = teamId === home.teamId || (home.enterpriseId !== undefined && enterpriseId === home.enterpriseId);
  const id = asText(user.id) ?? '';
  const name = asText(profile.display_name) ?? asText(profile.real_name) ?? asText(user.real_name) ?? asText(user.name);
  return {
    userId: id,
    teamId,
    enterpriseId,
    email: asText(profile.email)?.trim().toLowerCase(),
    displayName: inert(name ?? id, 80),
    deleted: user.deleted === true,
    // Slackbot has is_bot false.
    bot: user.is_bot === true || user.is_workflow_bot === true || id === 'USLACKBOT',
    guest: user.is_restricted === true || user.is_ultra_restricted === true,
    stranger: user.is_stranger === true || !ours,
  };
}

/** `timeoutMs` bounds each look-up: people wait for the answer of a click. */
export function openPeople(api: WebApi, clock: Clock, timeoutMs: number): People {
  const profiles = openCache<PersonProfile>(30_000, clock);
  const groups = openCache<readonly string[]>(60_000, clock);
  const homes = openCache<Home>(Number.POSITIVE_INFINITY, clock);

  async function readHome(): Promise<Home> {
    const answer = await api.call('auth.test', {}, { kind: 'read', timeoutMs });
    const teamId = asText(answer.team_id);
    if (teamId === undefined) throw unexpected('auth.test');
    return { teamId, enterpriseId: asText(answer.enterprise_id), botId: asText(answer.bot_id) };
  }

  async function readProfile(userId: string): Promise<PersonProfile> {
    const [home, answer] = await Promise.all([
      homes('', readHome),
      api.call('users.info', { user: userId }, { kind: 'read', timeoutMs }),
    ]);
    const profile = profileOf(asObject(answer.user), home);
    // Enterprise Grid has a W... and a U... id for one person; an answer about somebody else is none.
    if (profile.userId !== userId) throw unexpected('users.info');
    return profile;
  }

  async function readMembers(groupId: string): Promise<readonly string[]> {
    const answer = await api.call(
      'usergroups.users.list',
      { usergroup: groupId, include_disabled: false },
      { kind: 'read', timeoutMs },
    );
    if (!Array.isArray(answer.users)) throw unexpected('usergroups.users.list');
    return answer.users.filter((user): user is string => typeof user === 'string');
  }

  return {
    home: () => homes('', readHome),
    person: async (userId, { since } = {}) => {
      if (!isUserId(userId)) {
        throw new UpstreamError('slack', 'user_not_found', 'This is not a Slack user id', { retryable: false });
      }
      return profiles(userId, () => readProfile(userId), since?.getTime());
    },
    groupMembers: (groupId, { since } = {}) => groups(groupId, () => readMembers(groupId), since?.getTime()),
  };
}
