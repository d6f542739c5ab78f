/** Confirms SNS subscriptions with the token that SNS sent, in the topic's own Region. */
import { ConfirmSubscriptionCommand, SNSClient } from '@aws-sdk/client-sns';
import { UpstreamError } from '../contracts/errors.ts';
import type { SubscriptionConfirmer } from '../contracts/intake.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { topicOf } from '../domain/sns-topics.ts';
import { patience } from './clients.ts';

export const subscriptionConfirmer: SubscriptionConfirmer = {
  async confirm(topicArn, token) {
    const topic = topicOf(topicArn);
    if (topic === undefined)
      throw new UpstreamError('sns', 'InvalidTopic', 'not the ARN of a topic', { retryable: false });
    const client = new SNSClient({
      region: topic.region,
      maxAttempts: 3,
      requestHandler: patience(10_000),
    });
    try {
      const answer = await client.send(
        // Without it anybody who holds an unsubscribe link could end the subscription.
        new ConfirmSubscriptionCommand({ TopicArn: topicArn, Token: token, AuthenticateOnUnsubscribe: 'true' }),
      );
      if (answer.SubscriptionArn === undefined)
        throw new UpstreamError('sns', 'NotAws', "the answer was not SNS's", { retryable: true });
      return { subscriptionArn: answer.SubscriptionArn };
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      const facts = awsErrorFacts(error);
      throw new UpstreamError('sns', facts.code, `SNS did not confirm: ${facts.code}`, {
        retryable: facts.retryable,
        cause: error,
      });
    } finally {
      client.destroy();
    }
  },
};
