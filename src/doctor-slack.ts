/** The part of `firebreak doctor` that asks Slack: token and scopes, channels, people, the clock. Posts nothing. */
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Chat } from './contracts/chat.ts';
import { UserError } from './contracts/errors.ts';
import type { Log } from './contracts/log.ts';
import type { KnownEnrollment } from './contracts/step-up.ts';
import { approverLooks } from './doctor-approvers.ts';
import { check, type Finding, open } from './doctor-report.ts';
import type { Crowd } from './domain/slack-ids.ts';
import { openInstallation, type SlackInstallation } from './slack/installation.ts';
import { connectChat } from './wire.ts';

/** Slack's signature counts for five minutes; AWS's for five to fifteen. */
const mostSkewMs = 60_000;

/** `enrolled`: who has one-time codes; undefined where the database could not be asked. */
export async function slackLooks(
  config: Config,
  log: Log,
  enrolled: readonly KnownEnrollment[] | undefined,
): Promise<readonly Finding[]> {
  const { botToken, apiUrl, appToken, signingSecrets } = config.slack;
  const slack = openInstallation({ token: botToken?.reveal() ?? '', apiUrl, clock: systemClock, log });
  const token = await check('Slack', () => scopeWords(slack));
  const clock = await check('clock', () => clockWords(slack));
  const door =
    appToken === undefined
      ? open(
          'Slack signing secret',
          signingSecrets.length === 0
            ? 'none is set here'
            : 'only a request that Slack signs shows whether it is right: type /ir help',
        )
      : await check('Slack app token', async () => {
          const code = await slack.appTokenProblem(appToken.reveal());
          if (code !== undefined)
            throw new UserError(`Slack refuses it (${code}): SLACK_APP_TOKEN is an xapp- token with connections:write`);
          return 'opens Socket Mode';
        });
  if (token.state !== 'ok') return [token, clock, door, open('channels and people', 'not looked at without Slack')];
  const channels = channelsOf(config).map(([name, keys]) =>
    check(`channel ${name} (${keys.join(', ')})`, async () => {
      const problem = await slack.channelProblem(name);
      if (problem !== undefined) throw new UserError(problem);
      return 'Firebreak is a member';
    }),
  );
  const chat = await connectChat(config, log);
  return [
    ...[token, clock, door, ...(await Promise.all(channels))],
    ...(await peopleLooks(config, chat)),
    ...(await approverLooks({ config, chat, log }, enrolled)),
  ];
}

async function scopeWords(slack: SlackInstallation): Promise<string> {
  const lacks = await slack.lacks();
  if (lacks === undefined) return 'accepts the bot token; it does not say which scopes the token has';
  if (lacks.length > 0)
    throw new UserError(`the bot token lacks ${lacks.join(', ')}: install the app again with the manifest in deploy/`);
  return 'accepts the bot token, which has the scopes of the manifest';
}

async function clockWords(slack: SlackInstallation): Promise<string> {
  const aheadMs = await slack.clockAheadMs();
  if (aheadMs === undefined) throw new UserError('Slack names no time to compare with');
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) > mostSkewMs)
    throw new UserError(
      `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} Slack's: signatures of Slack and AWS and one-time codes will fail`,
    );
  return "within a minute of Slack's";
}

/** Each channel once, with the keys that name it. */
function channelsOf({ channels, noise }: Config): readonly (readonly [string, readonly string[]])[] {
  const { accounts, environments, ...plain } = channels;
  const named = [
    ...Object.entries(plain).map(([key, name]) => [`channels.${key}`, name] as const),
    ...Object.entries(accounts).map(([key, name]) => [`channels.accounts.${key}`, name] as const),
    ...Object.entries(environments).map(([key, name]) => [`channels.environments.${key}`, name] as const),
    ['noise.report.channel', noise.report.enabled ? noise.report.channel : undefined] as const,
  ];
  const keys = new Map<string, string[]>();
  for (const [key, name] of named) if (name !== undefined) keys.set(name, [...(keys.get(name) ?? []), key]);
  return [...keys];
}

function ruleCrowds({ responders, policies, access }: Config): readonly Crowd[] {
  const named = [
    responders,
    ...policies.flatMap(({ ask, approve, breakGlass }) => [
      ask,
      approve,
      breakGlass === false ? undefined : breakGlass,
    ]),
    ...access.map(({ allow }) => allow),
  ];
  return named.filter((crowd) => crowd !== undefined);
}

/** Whoever the config names: who is not there, or may never decide, is missed at night. */
async function peopleLooks(config: Config, chat: Chat): Promise<readonly Finding[]> {
  const crowds = [config.approvers, ...ruleCrowds(config), ...config.escalation.levels];
  const users = [...new Set(crowds.flatMap((crowd) => crowd.users))];
  const groups = [...new Set(crowds.flatMap((crowd) => crowd.groups))];
  const wrong = async (id: string): Promise<string | undefined> => {
    const person = await chat.person(id);
    const is = [
      person.deleted && 'deactivated',
      person.bot && 'a bot',
      person.guest && 'a guest',
      person.stranger && 'of another workspace',
    ].filter((word) => word !== false);
    return is.length === 0 ? undefined : `${id} is ${is.join(' and ')}`;
  };
  return Promise.all([
    ...users.map((id) =>
      check(`person ${id}`, async () => {
        const problem = await wrong(id);
        if (problem !== undefined) throw new UserError(`${problem}, and can neither ask nor approve`);
        return 'a full member';
      }),
    ),
    ...groups.map((id) =>
      check(`user group ${id}`, async () => {
        const members = await chat.groupMembers(id);
        if (members.length === 0) throw new UserError('it has no members');
        return `${members.length} members`;
      }),
    ),
  ]);
}
