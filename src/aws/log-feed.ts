/** An SQS queue of S3 notifications. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { FeedMessage, LogFeed } from '../contracts/log-feed.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';

/** The most that SQS gives and takes at once. */
const perCall = 10;
/** One import of many objects costs far less than many of one. */
const mostMessages = 1000;
const firstWaitSeconds = 20;
/** Until then an import has to be done, or its messages come again. */
const hiddenSeconds = 15 * 60;

/** @param queueUrl `https://sqs.eu-west-1.amazonaws.com/111122223333/name`; the Region is read from it where it tells one */
export function openLogFeed(queueUrl: string, options: { readonly region: string; readonly log: Log }): LogFeed {
  const client = new SQSClient({
    region: /(?:^|\/\/)sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\//.exec(queueUrl)?.[1] ?? options.region,
    // Where an endpoint is configured it is the endpoint that counts, not the address in the queue's name (DESIGN.md 5).
    useQueueUrlAsEndpoint: false,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 40_000, throwOnRequestTimeout: true },
  });

  async function receiveSome(waitSeconds: number, signal: AbortSignal): Promise<readonly FeedMessage[]> {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: perCall,
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: hiddenSeconds,
      }),
      { abortSignal: signal },
    );
    return Messages.flatMap(({ ReceiptHandle, Body }) =>
      ReceiptHandle === undefined ? [] : [{ receipt: ReceiptHandle, body: Body ?? '' }],
    );
  }

  return {
    async receive(signal) {
      const all: FeedMessage[] = [];
      try {
        for (let wait = firstWaitSeconds; all.length < mostMessages; wait = 1) {
          const some = await receiveSome(wait, signal);
          all.push(...some);
          if (some.length === 0) break;
        }
      } catch (error) {
        signal.throwIfAborted();
        // What came before the failure is worked off.
        if (all.length === 0) throw refused(error, queueUrl);
      }
      return all;
    },
    async done(receipts, signal) {
      for (let at = 0; at < receipts.length; at += perCall) {
        const some = receipts.slice(at, at + perCall);
        try {
          const { Failed = [] } = await client.send(
            new DeleteMessageBatchCommand({
              QueueUrl: queueUrl,
              Entries: some.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle })),
            }),
            { abortSignal: signal },
          );
          for (const { Code } of Failed) options.log.warn({ code: Code }, 'a message could not be taken off the queue');
        } catch (error) {
          signal.throwIfAborted();
          throw refused(error, queueUrl);
        }
      }
    },
  };
}

function refused(error: unknown, queueUrl: string): Error {
  const facts = awsErrorFacts(asError(error));
  return new UpstreamError('sqs', facts.code, `${queueUrl} could not be read (${facts.code})`, {
    retryable: facts.retryable,
  });
}
