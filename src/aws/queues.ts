/** SQS, for fetching alerts. The queue's URL names the queue and is never connected to: endpoints are the SDK's business. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { UpstreamError } from '../contracts/errors.ts';
import type { MessageQueue } from '../contracts/intake.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import type { QueueSettings } from '../domain/queue-entry.ts';
import { type Credentials, patience } from './clients.ts';

const longestWaitSeconds = 20;

export function openMessageQueue(entry: QueueSettings, credentials: Credentials): MessageQueue {
  const client = new SQSClient({
    region: entry.region,
    // Else the client would connect to the URL of the config, whatever AWS_ENDPOINT_URL_SQS says.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 3,
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: patience((longestWaitSeconds + 10) * 1_000),
  });

  async function ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      const facts = awsErrorFacts(error);
      throw new UpstreamError('sqs', facts.code, `the queue ${entry.name} did not answer: ${facts.code}`, {
        retryable: facts.retryable,
        cause: error,
      });
    }
  }

  return {
    name: entry.name,
    async receive(waitSeconds, signal) {
      const answer = await ask(() =>
        client.send(
          new ReceiveMessageCommand({
            QueueUrl: entry.url,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: Math.min(waitSeconds, longestWaitSeconds),
            MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          }),
          { abortSignal: signal },
        ),
      );
      return (answer.Messages ?? []).flatMap(({ MessageId, Body, ReceiptHandle, Attributes }) =>
        MessageId === undefined || ReceiptHandle === undefined
          ? []
          : [
              {
                id: MessageId,
                body: Body ?? '',
                receipt: ReceiptHandle,
                deliveries: Number(Attributes?.ApproximateReceiveCount ?? 1),
              },
            ],
      );
    },
    async remove(messages) {
      const Entries = messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
      const answer = await ask(() => client.send(new DeleteMessageBatchCommand({ QueueUrl: entry.url, Entries })));
      return (answer.Failed ?? []).map(({ Id }) => messages[Number(Id)]?.id ?? '');
    },
    close: () => client.destroy(),
  };
}
