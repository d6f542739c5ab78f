/** What Slack says of the installation itself: scopes, channels, people, the app-level token, the clock. For `firebreak doctor`. */
import { WebClient } from '@slack/web-api';
import type { Clock } from '../contracts/clock.ts';
import type { Log } from '../contracts/log.ts';
import { channelIdOf } from './find-posted.ts';
import { slackApiUrl } from './hosts.ts';
import { asObject } from './people.ts';
import { clientOptions, explain, openWebApi } from './web-api.ts';

/** The bot scopes of the manifests in deploy/; a test compares them. */
export const botScopes = [
  'commands',
  'chat:write',
  'users:read',
  'users:read.email',
  'usergroups:read',
  'channels:read',
  'groups:read',
  'files:write',
  'channels:history',
  'groups:history',
] as const;

export interface SlackInstallation {
  /** Scopes that the bot token lacks. Undefined where Slack does not say which it has. */
  lacks(): Promise<readonly string[] | undefined>;
  /** Why cards cannot come into the channel (id or name); undefined where they can. */
  channelProblem(channel: string): Promise<string | undefined>;
  /** Slack's word for why Socket Mode cannot be opened with it; undefined where it can. Asks for an address, and leaves it. */
  appTokenProblem(appToken: string): Promise<string | undefined>;
  /** By how many ms this machine's clock is ahead of Slack's; a second more or less. Undefined where Slack names no time. */
  clockAheadMs(): Promise<number | undefined>;
}

const timeoutMs = 5_000;

/** Every function throws UpstreamError `slack` where Slack refuses or does not answer. */
export function openInstallation(input: {
  readonly token: string;
  readonly apiUrl: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): SlackInstallation {
  const { apiUrl, clock, log } = input;
  const api = openWebApi({ ...input, timeoutMs });
  return {
    async lacks() {
      const answer = await api.call('auth.test', {}, { kind: 'read' });
      const { scopes } = asObject(answer.response_metadata);
      return Array.isArray(scopes) ? botScopes.filter((scope) => !scopes.includes(scope)) : undefined;
    },
    async channelProblem(channel) {
      const id = await channelIdOf(api, channel);
      if (id === undefined) return 'Firebreak sees no channel of that name: check it, or invite Firebreak there';
      const answer = await api.call('conversations.info', { channel: id }, { kind: 'read' });
      const facts = asObject(answer.channel);
      if (facts.is_archived === true) return 'it is archived';
      if (facts.is_member !== true && facts.is_im !== true) return 'Firebreak is not a member: invite it there';
      return undefined;
    },
    async appTokenProblem(appToken) {
      try {
        await new WebClient(appToken, clientOptions(apiUrl, timeoutMs, log)).apiCall('apps.connections.open');
        return undefined;
      } catch (thrown) {
        const error = explain(thrown, 'apps.connections.open', 'read');
        if (error.retryable) throw error;
        return error.code;
      }
    },
    async clockAheadMs() {
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const answer = await fetch(`${apiUrl ?? slackApiUrl}api.test`, { method: 'POST', redirect: 'manual', signal });
        const theirs = Date.parse(answer.headers.get('date') ?? '');
        return Number.isNaN(theirs) ? undefined : clock.now().getTime() - theirs;
      } catch (thrown) {
        throw explain(thrown, 'api.test', 'read');
      }
    },
  };
}
