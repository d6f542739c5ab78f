/** A freeze in Slack: one responder pulls the brake, two approvers release it, and the default channel hears of both. */
import type { Message } from '../contracts/message.ts';
import { areTwoPeople, notTwo } from '../domain/people.ts';
import { liftsWith, liftWithinMs, stillWished } from '../domain/people-on-host.ts';
import { bold, date, line, refusal, say, text } from '../domain/phrases.ts';
import { postOnce } from './deliver.ts';
import type { ChatDeps, WorkerDeps } from './deps.ts';
import { approvingRefusalOf } from './standing.ts';

/**
 * Counts one approver's wish to lift the freeze; with the earlier wish of another person it is lifted. Both are looked up afresh.
 * One at a time, so that two wishes at once find each other.
 */
export function wishToLift(
  wish: { readonly userId: string; readonly reason: string },
  deps: Pick<ChatDeps, 'store' | 'chat' | 'settings' | 'log' | 'clock'>,
): Promise<Message> {
  return deps.store.turn('lift', () => lift(wish, deps));
}

async function lift(
  { userId, reason }: { readonly userId: string; readonly reason: string },
  deps: Pick<ChatDeps, 'store' | 'chat' | 'settings' | 'log' | 'clock'>,
): Promise<Message> {
  const { store, clock } = deps;
  const { person, refusal: refused } = await approvingRefusalOf(userId, deps);
  if (refused !== undefined) return refusal(`You cannot lift a freeze: ${refused}.`, undefined);
  const freeze = await store.settings.frozen();
  if (!freeze.frozen || freeze.at === undefined) return say('Nothing is frozen.');
  const now = clock.now();
  const at = now.toISOString();
  const earlier = await store.host.liftWish();
  if (earlier !== undefined && liftsWith(earlier, freeze.at, person, now)) {
    const other = await approvingRefusalOf(earlier.userId, deps);
    if (other.refusal === undefined && other.person === earlier.person) {
      const by = `${earlier.userId} (${earlier.person}) and ${userId} (${person})`;
      await store.settings.setFrozen(false, by, `${earlier.reason}; ${reason}`.slice(0, 600), at);
      return say('The freeze is lifted. Plans run again.');
    }
  }
  const waits = earlier !== undefined && earlier.userId !== userId && stillWished(earlier, freeze.at, now);
  if (waits && !areTwoPeople(earlier.person, person)) {
    const sentence = `You cannot lift it together with ${earlier.userId}: ${notTwo}.`;
    return refusal(sentence, 'Another approver can, or the host does.');
  }
  await store.host.wishLift({ userId, person, reason, at });
  return say(
    `Noted. It is still frozen: within ${liftWithinMs / 60_000} minutes another approver must say \`/ir freeze --lift <reason>\` too.`,
  );
}

/** Tells the default channel of the newest freeze or lift, once; the sweep asks again until Slack takes it. */
export async function announceFreeze(deps: Pick<WorkerDeps, 'store' | 'chat' | 'settings' | 'clock'>): Promise<void> {
  const { store, settings } = deps;
  const { frozen, by, reason, at } = await store.settings.frozen();
  if (at === undefined) return;
  const key = `freeze:${at}`;
  if ((await store.posts.get(key)) !== undefined) return;
  const sentence = frozen ? 'All writes to AWS are frozen.' : 'The freeze is lifted: approved plans run again.';
  const rest = frozen
    ? 'What is half applied is finished, an undo may still run, nothing new is started. Two approvers lift it with /ir freeze --lift, or the host does.'
    : 'Plans that were voided meanwhile must be asked for again.';
  await postOnce(
    {
      key,
      channel: settings.channels.default,
      message: {
        text: sentence,
        parts: [
          {
            kind: 'lines',
            lines: [
              line(bold(sentence)),
              line('By ', text(by ?? 'unknown'), ', ', date(at), '. Reason: ', text(reason ?? 'none')),
              line(rest),
            ],
          },
        ],
      },
    },
    deps,
  );
}
