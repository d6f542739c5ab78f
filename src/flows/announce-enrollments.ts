/** An enrollment for one-time codes on the host -> told to the person and to the approvers, so that a silent one is seen. */
import type { KnownEnrollment } from '../contracts/step-up.ts';
import { enrollmentMessage, toldOfEnrollment } from '../domain/enrollment-wording.ts';
import type { GroupMembers } from '../domain/people.ts';
import { unlessRefused } from './approval-places.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'chat' | 'settings' | 'clock' | 'log'>;

/** Older ones were told, or happened when nobody told such things. */
const tellForMs = 30 * 24 * 60 * 60_000;

/** For the sweep: what was told is kept by key, so that it is told once, also where Slack was down meanwhile. */
export async function announceEnrollments(deps: Needs): Promise<void> {
  const since = new Date(deps.clock.now().getTime() - tellForMs).toISOString();
  for (const enrollment of await deps.store.stepUp.enrolled(since)) {
    const key = `enrolled:${enrollment.userId}:${enrollment.enrolledAt}`;
    if ((await deps.store.posts.get(`${key}:channel`)) !== undefined) continue;
    await tellAll(key, enrollment, deps);
  }
}

async function tellAll(key: string, enrollment: KnownEnrollment, deps: Needs): Promise<void> {
  const { rules, channels } = deps.settings;
  const groups = new Map<string, readonly string[]>();
  for (const id of rules.approvers.groups) groups.set(id, await membersOf(id, deps));
  for (const userId of toldOfEnrollment(enrollment, rules, groups satisfies GroupMembers)) {
    const message = enrollmentMessage(enrollment, userId);
    await unlessRefused(userId, deps, async () => {
      await postOnce({ key: `${key}:${userId}`, channel: userId, message }, deps);
    });
  }
  // Last, since it says that everybody was told.
  const message = enrollmentMessage(enrollment, undefined);
  await postOnce({ key: `${key}:channel`, channel: channels.default, message }, deps);
}

async function membersOf(group: string, deps: Needs): Promise<readonly string[]> {
  let members: readonly string[] = [];
  await unlessRefused(group, deps, async () => {
    members = await deps.chat.groupMembers(group);
  });
  return members;
}
