/** `firebreak enroll USER`: gives a person one-time codes. On the host only: a stolen Slack session must not enroll. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from './clock.ts';
import { loadConfig } from './config.ts';
import { SetupError, UserError } from './contracts/errors.ts';
import type { Store } from './contracts/store.ts';
import { coolDownMs, enrollmentUri, newSecret, timeStepOf } from './domain/one-time-code.ts';
import { SlackUserId } from './domain/slack-ids.ts';
import { openLog } from './log.ts';
import { connectStore } from './wire.ts';

const usage = 'usage: firebreak enroll <Slack user id> [--second <Slack user id> --code <their one-time code>]';

/**
 * Prints the secret once, for the person's authenticator app. Somebody who is enrolled already needs a second person's code, and
 * the new secret counts only after a day. Throws SetupError and UserError. Returns the exit code.
 */
export async function enrollCommand(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { second: { type: 'string' }, code: { type: 'string' } },
    allowPositionals: true,
  });
  const [userId = '', ...more] = positionals;
  if (more.length > 0 || !SlackUserId.safeParse(userId).success) throw new SetupError([usage]);
  const config = loadConfig({ kind: 'cli' });
  const { store, close } = await connectStore(config, [], openLog('error'));
  try {
    const earlier = await store.stepUp.enrollment(userId);
    if (earlier !== undefined) {
      const { users } = config.approvers;
      if (values.second !== undefined && users.length > 0 && !users.includes(values.second)) {
        throw new UserError(`${values.second} is no approver of the config.`, usage);
      }
      const named = config.people.find(({ slack }) => slack.includes(userId));
      if (values.second !== undefined && named?.slack.includes(values.second)) {
        throw new UserError(`${values.second} is ${named.name} as well, by the config.`, usage);
      }
      await confirmBySecond(userId, values, store);
    }
    const now = systemClock.now();
    const secret = newSecret();
    const activeAt = new Date(now.getTime() + (earlier === undefined ? 0 : coolDownMs)).toISOString();
    const enrolledBy = `host user ${userInfo().username}${values.second === undefined ? '' : `, confirmed by ${values.second}`}`;
    const enrolledAt = now.toISOString();
    if (!(await store.stepUp.enroll({ userId, secret, activeAt, enrolledAt, enrolledBy }, earlier)))
      throw new UserError(
        `Somebody enrolled ${userId} at the same moment. Nothing was changed by this command.`,
        usage,
      );
    process.stdout.write(
      `One-time codes for ${userId}, counting from ${activeAt} on.\n` +
        `Secret (shown this once; type it or the address into an authenticator app):\n  ${secret}\n  ${enrollmentUri(secret, userId)}\n`,
    );
    return 0;
  } finally {
    await close();
  }
}

/** Somebody else vouches, with a code of their own, that the person has lost the old secret. */
async function confirmBySecond(
  userId: string,
  { second, code }: { readonly second?: string | undefined; readonly code?: string | undefined },
  store: Store,
): Promise<void> {
  const needed = `${userId} is enrolled already: a second person must confirm that with a one-time code of their own.`;
  if (second === undefined || code === undefined) throw new UserError(needed, usage);
  if (second === userId) throw new UserError('The second person must be another one.', usage);
  const other = await store.stepUp.enrollment(second);
  const now = systemClock.now();
  if (other === undefined || other.activeAt > now.toISOString()) {
    throw new UserError(`${second} has no one-time codes that count now.`, usage);
  }
  const timeStep = timeStepOf(code, other.secret, now);
  if (timeStep === undefined) throw new UserError('That one-time code is wrong.', usage);
  const spent = await store.stepUp.spend({
    userId: second,
    timeStep,
    for: `enrollment ${randomUUID()}`,
    at: now.toISOString(),
  });
  if (!spent) throw new UserError('That one-time code was used before: wait for the next one.', usage);
}
