/** A critical that nobody acknowledged -> direct messages to the level's people, or its pager. Once per level. */
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Escalation } from '../contracts/noise.ts';
import type { Case } from '../contracts/store.ts';
import { callForHelp, levelsWithoutSlack, pageOf } from '../domain/escalation.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'log' | 'pager'>;

const mostPeople = 30;

/** Job `case.escalate`. Each message and page has a key, so that a run that was cut off repeats nothing that arrived. */
export async function escalate(call: Omit<Escalation, 'dueAt'>, deps: Needs): Promise<void> {
  const { store, settings } = deps;
  const key = `escalation:${call.caseId}:${call.round}:${call.level}`;
  await store.turn(key, async () => {
    if (!(await store.escalations.open(call))) return;
    const found = await store.cases.get(call.caseId);
    const level = settings.escalation.levels[call.level - 1];
    if (found === undefined || level === undefined) return end(call, 'the config has no such level any more', deps);
    if (found.acknowledgedBy !== undefined || found.falsePositiveBy !== undefined) {
      return end(call, 'somebody looked at it in time', deps);
    }
    const about = { ...call, alert: shownAlert(found), account: accountOf(found, deps), channel: found.channel };
    // The pager first: it works where Slack does not.
    const problems: Error[] = [];
    for (const name of level.pagers) await tried(() => pageOnce(key, name, about, deps), problems);
    const people = level.users.length + level.groups.length === 0 ? [] : await peopleOf(level, problems, deps);
    for (const userId of people) {
      const post = {
        key: `${key}:${userId}`,
        channel: userId,
        message: callForHelp(about, found.restrictedTo !== undefined),
      };
      await tried(() => postOnce(post, deps), problems);
    }
    const [first] = problems;
    if (first === undefined) {
      const called = [...level.pagers.map((name) => `pager ${name}`), ...people].join(', ');
      return end(call, `called ${called}`, deps);
    }
    deps.log.warn({ ...call, error: first }, 'not everybody of a level could be called');
    // People cannot be told by Slack: those who can be reached without it must not wait for their turn.
    await hurryOthers(call, deps);
    const later = problems.find(isRetryable);
    if (later !== undefined) throw later;
    return end(call, `not everybody could be called: ${first.message}`, deps);
  });
}

/** Who is called need not be one of the few that a case is closed to. */
function shownAlert({ alert, restrictedTo }: Case): Case['alert'] {
  if (restrictedTo === undefined) return alert;
  return { ...alert, title: 'A case that is closed to a named few', type: 'restricted', description: '' };
}

async function tried(work: () => Promise<unknown>, problems: Error[]): Promise<void> {
  try {
    await work();
  } catch (error) {
    problems.push(asError(error));
  }
}

/** A page that was taken is not sent again; one whose end is unclear is, with the same key, which the receiver knows. */
async function pageOnce(
  key: string,
  name: string,
  about: Parameters<typeof pageOf>[0],
  { store, pager, clock }: Needs,
): Promise<void> {
  const own = `${key}:pager:${name}`;
  const claim = await store.posts.claim(own, `pager ${name}`, clock.now().toISOString());
  if (claim.state === 'posted') return;
  await pager.page(name, pageOf(about, 'Nobody has acknowledged it in Slack.'));
  await store.posts.posted(own, 'taken');
}

async function peopleOf(
  level: { readonly users: readonly string[]; readonly groups: readonly string[] },
  problems: Error[],
  { chat }: Needs,
): Promise<readonly string[]> {
  const people = new Set(level.users);
  for (const group of level.groups) {
    await tried(async () => {
      for (const userId of await chat.groupMembers(group)) people.add(userId);
    }, problems);
  }
  return [...people].slice(0, mostPeople);
}

async function hurryOthers(call: Omit<Escalation, 'dueAt'>, { store, queue, settings, clock }: Needs): Promise<void> {
  const others = levelsWithoutSlack(settings.escalation).filter((level) => level > call.level);
  await store.escalations.hurry(call.caseId, others, clock.now().toISOString());
  for (const level of others) {
    const { caseId, round } = call;
    await queue.add('case.escalate', { caseId, round, level }, { id: `escalate-${caseId}-${round}-${level}` });
  }
}

function isRetryable(error: Error): boolean {
  return error instanceof UpstreamError && error.retryable;
}

function accountOf(found: Case, { settings }: Needs) {
  return settings.accounts.find(({ id }) => id === found.alert.accountId);
}

async function end(call: Omit<Escalation, 'dueAt'>, outcome: string, { store, clock }: Needs): Promise<void> {
  await store.escalations.settle({ ...call, outcome, at: clock.now().toISOString() });
}
