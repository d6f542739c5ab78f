/** Asks Slack who somebody is, and the rules what he may. Every failure to tell means no (fail closed). */
import type { PersonProfile } from '../contracts/chat.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { JobContext } from '../contracts/job.ts';
import type { Standing } from '../contracts/store.ts';
import { approvingRefusal, askingRefusal, type GroupMembers, involvedRefusal, personOf } from '../domain/people.ts';
import { approvingOnHost, askingOnHost } from '../domain/people-on-host.ts';
import type { Crowd } from '../domain/slack-ids.ts';
import type { ChatDeps } from './deps.ts';

type Needs = Pick<ChatDeps, 'chat' | 'settings' | 'log' | 'clock'>;

/** What a person's say is about. */
export interface Concerning {
  /** Of the config's policies: each must hold as well. */
  readonly crowds: readonly Crowd[];
  /** Names of the target: whoever is one of them has no say. */
  readonly touched: readonly string[];
}

export interface Looked {
  readonly person: string;
  readonly refusal: string | undefined;
  /** True where the refusal is only that Slack did not tell. */
  readonly untold: boolean;
  /** Set where Slack did not tell and the config alone was asked. */
  readonly by?: 'config';
}

/** As Slack and the config say; where Slack does not answer, as the config alone says. For what came in on the host only. */
export async function lookedOnHost(
  userId: string,
  as: 'requester' | 'approver',
  deps: Needs,
  concerning: Partial<Concerning> = {},
): Promise<Looked> {
  const { crowds = [], touched = [] } = concerning;
  const looked = await refusalOf(as)(userId, deps, { since: deps.clock.now(), ...concerning });
  if (!looked.untold) return looked;
  const judge = as === 'approver' ? approvingOnHost : askingOnHost;
  deps.log.warn({ userId }, 'Slack does not tell who this is: the config alone is asked, for the host');
  return { ...judge(userId, deps.settings.rules, crowds, touched), untold: false, by: 'config' };
}

/** What is remembered of a person will do. */
export const anyTime = new Date(0);

/** What Slack was asked for before `since` is asked again. */
type Asking = { readonly since?: Date } & Partial<Concerning>;

/** May this Slack id ask for investigations and containment? What is remembered will do unless `since` says otherwise. */
export function askingRefusalOf(userId: string, deps: Needs, options: Asking = {}): Promise<Looked> {
  const { since = anyTime, crowds = [], touched = [] } = options;
  return look(userId, since, crowds, deps, (profile, groups) => {
    const { rules } = deps.settings;
    return askingRefusal(profile, rules, groups, crowds) ?? involvedRefusal(profile, rules, touched);
  });
}

/** May this Slack id approve? Asked afresh wherever it decides: whoever was removed a second ago decides nothing. */
export function approvingRefusalOf(userId: string, deps: Needs, options: Asking = {}): Promise<Looked> {
  const { since = deps.clock.now(), crowds = [], touched = [] } = options;
  return look(userId, since, crowds, deps, (profile, groups) => {
    const { rules } = deps.settings;
    return approvingRefusal(profile, rules, groups, crowds) ?? involvedRefusal(profile, rules, touched);
  });
}

function refusalOf(as: 'requester' | 'approver') {
  return as === 'approver' ? approvingRefusalOf : askingRefusalOf;
}

/**
 * The same as something to store, for the executor. Throws UpstreamError while Slack does not tell: that is no reason to void
 * an approval, so the job is tried again until it expires. `onHost`: where Slack does not tell, the config alone decides.
 */
export async function standingOf(
  userId: string,
  as: 'requester' | 'approver',
  concerning: Concerning,
  deps: Needs,
  { onHost = false, since = deps.clock.now() }: { readonly onHost?: boolean; readonly since?: Date | undefined } = {},
): Promise<Standing> {
  const looked = await (onHost
    ? lookedOnHost(userId, as, deps, concerning)
    : refusalOf(as)(userId, deps, { since, ...concerning }));
  if (looked.untold) throw untold();
  return {
    userId,
    person: looked.person,
    ...(looked.refusal === undefined ? {} : { refused: looked.refusal }),
    ...(looked.by === undefined ? {} : { by: looked.by }),
    checkedAt: deps.clock.now().toISOString(),
  };
}

/** How often a job asks again before the answer is no: for 15 s, with the queue's pauses. */
const asksAgain = 4;

/**
 * For jobs, where nobody waits within Slack's three seconds: what somebody clicked is not lost because Slack stumbled, or because this
 * process was still busy with its start. Gives what was looked up; throws UpstreamError where the job is to be tried again.
 */
export function toldOrAgain(looked: Looked, { attempt }: Pick<JobContext, 'attempt'>): Looked {
  if (looked.untold && attempt <= asksAgain) throw untold();
  return looked;
}

function untold(): UpstreamError {
  return new UpstreamError('slack', 'untold', 'Slack does not tell who may decide', { retryable: true });
}

const notTold = 'Slack does not tell who you are right now, so the answer is no; try again';

async function look(
  userId: string,
  since: Date,
  crowds: readonly Crowd[],
  deps: Needs,
  judge: (profile: PersonProfile, groups: GroupMembers) => string | undefined,
): Promise<Looked> {
  let profile: PersonProfile;
  try {
    profile = await deps.chat.person(userId, { since });
  } catch (error) {
    deps.log.warn({ userId, error: asError(error) }, 'a person could not be looked up, refused');
    return { person: `unknown:${userId}`, refusal: notTold, untold: true };
  }
  const person = personOf(profile, deps.settings.rules);
  // Groups are a scarce question (20 a minute), and only give rights: they are read for somebody whom they can help, and who needs it.
  if (judge(profile, new Map()) === undefined) return { person, refusal: undefined, untold: false };
  const atBest = judge(profile, new Map(groupsOf(crowds, deps).map((id) => [id, [userId]])));
  if (atBest !== undefined) return { person, refusal: atBest, untold: false };
  const { found, untold } = await members(groupsOf(crowds, deps), deps, since);
  const refusal = judge(profile, found);
  return refusal !== undefined && untold ? { person, refusal: notTold, untold } : { person, refusal, untold: false };
}

function groupsOf(crowds: readonly Crowd[], { settings }: Pick<Needs, 'settings'>): readonly string[] {
  const { approvers, responders } = settings.rules;
  const named = [approvers, ...(responders === undefined ? [] : [responders]), ...crowds];
  return [...new Set(named.flatMap(({ groups }) => groups))];
}

/** A group that cannot be read is left out, which refuses whoever depends on it; `untold` says that there was one. */
async function members(
  ids: readonly string[],
  deps: Needs,
  since: Date,
): Promise<{ found: GroupMembers; untold: boolean }> {
  const found = new Map<string, readonly string[]>();
  let untold = false;
  for (const id of ids) {
    try {
      found.set(id, await deps.chat.groupMembers(id, { since }));
    } catch (error) {
      // A group that does not exist will not come back; all else may pass.
      untold ||= !(error instanceof UpstreamError) || error.retryable;
      deps.log.warn(
        { group: id, error: asError(error) },
        'a user group could not be read, nobody counts as its member',
      );
    }
  }
  return { found, untold };
}
