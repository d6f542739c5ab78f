/** SNS asks to confirm a subscription, or says that one has ended. The SDK answers; no address that came is ever opened. */
import type { SubscriptionConfirmer } from '../contracts/intake.ts';
import type { JobContext } from '../contracts/job.ts';
import type { Message } from '../contracts/message.ts';
import { inert } from '../domain/inert.ts';
import { postOnce } from './deliver.ts';
import type { ChatDeps, Deps } from './deps.ts';
import { codeOf, isHopeless } from './keep-letter.ts';

/** Stores what SNS said and queues it. Durable when it returns. */
export async function receiveSubscription(
  input: { messageId: string; topicArn: string; wish: 'confirm' | 'ended'; token: string },
  { store, queue, clock, log }: Pick<Deps, 'store' | 'queue' | 'clock' | 'log'>,
): Promise<void> {
  const messageId = `${input.topicArn} ${input.messageId}`;
  const subscriptionId = await store.subscriptions.save({ ...input, messageId, at: clock.now().toISOString() });
  try {
    await queue.add('sns.subscription', { subscriptionId }, { id: `subscription-${subscriptionId}` });
  } catch (error) {
    log.warn({ subscriptionId, because: codeOf(error) }, 'subscription stored but not queued, the sweep will queue it');
  }
}

type Needs = Pick<ChatDeps, 'store' | 'chat' | 'clock' | 'settings' | 'log'> & {
  readonly confirmer: SubscriptionConfirmer;
};

/** Job `sns.subscription`. May run twice: SNS takes a token again for a subscription that is confirmed. */
export async function handleSubscription(
  { subscriptionId }: { readonly subscriptionId: string },
  _ctx: JobContext,
  deps: Needs,
): Promise<void> {
  const { store, clock, log } = deps;
  const asked = await store.subscriptions.get(subscriptionId);
  if (asked === undefined || asked.handledAt !== undefined) return;
  const { topicArn, wish, token } = asked;
  const say = (words: string, after: string) =>
    postOnce(
      {
        key: `subscription:${subscriptionId}`,
        channel: deps.settings.channels.default,
        message: sentence(words, topicArn, after),
      },
      deps,
    );
  const now = () => clock.now().toISOString();
  if (wish === 'ended') {
    log.warn({ topicArn }, 'SNS has ended a subscription');
    await say(
      'SNS has ended the subscription of ',
      ': its alerts no longer come in here. Somebody who may do so unsubscribed it.',
    );
    await store.subscriptions.handled(subscriptionId, now());
    return;
  }
  try {
    const { subscriptionArn } = await deps.confirmer.confirm(topicArn, token);
    log.info({ topicArn, subscriptionArn }, 'the subscription is confirmed');
    await store.subscriptions.handled(subscriptionId, now());
  } catch (error) {
    if (!isHopeless(error)) throw error;
    const because = codeOf(error);
    log.error({ topicArn, because }, 'the subscription cannot be confirmed');
    await say(
      'The SNS subscription of ',
      ` could not be confirmed (${because}): its alerts do not come in. Mend it and subscribe again.`,
    );
    await store.subscriptions.handled(subscriptionId, now(), because);
  }
}

function sentence(before: string, topicArn: string, after: string): Message {
  const line = [
    { kind: 'text', text: before },
    { kind: 'code', text: inert(topicArn, 300) },
    { kind: 'text', text: after },
  ] as const;
  return { text: `${before}${inert(topicArn, 300)}${after}`, parts: [{ kind: 'lines', lines: [line] }] };
}
