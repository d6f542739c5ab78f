/** The part of `firebreak doctor` that asks by all rules together who may approve, whether they are enough, and who of them has one-time codes. */
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Chat } from './contracts/chat.ts';
import type { Log } from './contracts/log.ts';
import type { KnownEnrollment } from './contracts/step-up.ts';
import { type Finding, fails, open } from './doctor-report.ts';
import { areTwoPeople } from './domain/people.ts';
import { count } from './domain/phrases.ts';
import { someOf } from './domain/role-check.ts';
import type { Crowd } from './domain/slack-ids.ts';
import { anyTime, approvingRefusalOf } from './flows/standing.ts';
import { settingsOf } from './settings-of.ts';

const untoldWords = ' (Slack does not know or tell of somebody)';

interface Where {
  readonly config: Config;
  readonly chat: Chat;
  readonly log: Log;
}

/** Of those whom a rule lets approve: their ids, one for each who is certainly a person of their own. */
interface May {
  readonly ids: readonly string[];
  readonly people: number;
  /** Slack did not tell of somebody. */
  readonly untold: boolean;
}

/** `enrolled`: undefined where the database could not be asked. */
export async function approverLooks(
  where: Where,
  enrolled: readonly KnownEnrollment[] | undefined,
): Promise<readonly Finding[]> {
  const { approvers, policies } = where.config;
  if (approvers.users.length + approvers.groups.length === 0) return [];
  const anybody = await mayApprove([], where);
  const found = [enough('approvers', anybody, approvers.required)];
  for (const [index, { forbidden, approve, required = 1, breakGlass }] of policies.entries()) {
    if (forbidden !== undefined) continue;
    const crowds = approve === undefined ? [] : [approve];
    const may = await mayApprove(crowds, where);
    if (approve !== undefined || required > 1)
      found.push(enough(`policies.${index}`, may, Math.max(required, approvers.required)));
    if (breakGlass === undefined || breakGlass === false) continue;
    const { users, groups } = breakGlass;
    found.push(glass(`policies.${index}.breakGlass`, await mayApprove([...crowds, { users, groups }], where)));
  }
  return anybody.ids.length === 0 ? found : [...found, codes(where.config, anybody.ids, enrolled)];
}

async function mayApprove(crowds: readonly Crowd[], { config, chat, log }: Where): Promise<May> {
  const { users, groups } = config.approvers;
  let untold = false;
  const ofGroups = groups.map((id) =>
    chat.groupMembers(id).catch((): readonly string[] => {
      untold = true;
      return [];
    }),
  );
  const named = users.length > 0 ? users : (await Promise.all(ofGroups)).flat();
  const deps = { chat, log, settings: settingsOf(config), clock: systemClock };
  const ids: string[] = [];
  const people: string[] = [];
  for (const id of new Set(named)) {
    const looked = await approvingRefusalOf(id, deps, { since: anyTime, crowds });
    untold ||= looked.untold;
    if (looked.refusal !== undefined) continue;
    ids.push(id);
    if (people.every((other) => areTwoPeople(other, looked.person))) people.push(looked.person);
  }
  return { ids, people: people.length, untold };
}

function enough(what: string, { people, untold }: May, required: number): Finding {
  const says = `${count(people, 'person', 'people')} may approve by all rules together, and ${required} must`;
  if (people >= required) return { what, state: 'ok', says };
  const because = untold ? untoldWords : '';
  return fails(
    what,
    `${says}${because}: nothing can be approved. Where users and groups are named, an approver must be in both`,
  );
}

function glass(what: string, { people, untold }: May): Finding {
  if (people > 0)
    return {
      what,
      state: 'ok',
      says: `${count(people, 'person', 'people')} may break the glass by all rules together`,
    };
  const because = untold ? untoldWords : '';
  return fails(what, `nobody may break the glass by all rules together${because}: who may must be an approver as well`);
}

function codes(
  { approvers, policies }: Config,
  ids: readonly string[],
  enrolled: readonly KnownEnrollment[] | undefined,
): Finding {
  const what = 'one-time codes';
  if (enrolled === undefined) return open(what, 'not looked at without the database');
  const now = systemClock.now().toISOString();
  const without = ids.filter((id) => !enrolled.some(({ userId, activeAt }) => userId === id && activeAt <= now));
  if (without.length === 0) return { what, state: 'ok', says: 'everybody who may approve has some' };
  const says = `${someOf(without)} may approve and have none that count now (firebreak enroll): they cannot`;
  const isAsked =
    approvers.stepUp.length > 0 ||
    policies.some(({ stepUp, alone, breakGlass }) => stepUp === true || alone === true || breakGlass instanceof Object);
  return isAsked
    ? fails(what, `${says} approve what asks for one`)
    : open(what, `${says} approve on the host while Slack is down`);
}
