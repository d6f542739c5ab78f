/** Amazon SQS, the receiving side, in the JSON protocol (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/). */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { AwsError } from './errors.ts';
import type { MessageQueueState, QueuedMessage } from './intake-state.ts';
import type { Input } from './protocols.ts';
import { type Call, type Outcome, objects, type Service, text } from './service.ts';
import type { State } from './state.ts';

function md5(body: string): string {
  return createHash('md5').update(body, 'utf8').digest('hex');
}

/** A queue is named by its URL; only the path counts, as clients may reach it under any host. */
function queueAt(state: State, input: Input): MessageQueueState | undefined {
  const url = text(input, 'QueueUrl') ?? '';
  if (!URL.canParse(url)) return undefined;
  const path = new URL(url).pathname;
  return [...state.intake.queues.values()].find((queue) => new URL(queue.url).pathname === path);
}

function queueOf(call: Call): MessageQueueState {
  const queue = queueAt(call.state, call.input);
  const arn = queue === undefined ? '*' : `arn:aws:sqs:${queue.region}:${queue.accountId}:${queue.name}`;
  call.may(`sqs:${call.operation.replace(/Batch$/, '')}`, arn, arn.toLowerCase());
  if (queue === undefined || queue.region !== call.region)
    throw new AwsError('com.amazonaws.sqs#QueueDoesNotExist', 400, 'The specified queue does not exist.');
  return queue;
}

/** Hands one message out. What was handed out and not deleted in time comes again. */
function handOut(queue: MessageQueueState, message: QueuedMessage, nowMs: number) {
  message.visibleMs = nowMs + queue.visibilityMs;
  message.deliveries += 1;
  message.receipt = randomBytes(24).toString('base64');
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: { ApproximateReceiveCount: String(message.deliveries), SentTimestamp: String(message.sentMs) },
  };
}

function waiting(queue: MessageQueueState, nowMs: number): QueuedMessage[] {
  return queue.messages.filter((message) => message.visibleMs <= nowMs);
}

function receive(call: Call): Outcome {
  const queue = queueOf(call);
  const most = Number(call.input.MaxNumberOfMessages ?? 1);
  if (!Number.isInteger(most) || most < 1 || most > 10)
    throw new AwsError('InvalidParameterValue', 400, 'MaxNumberOfMessages must be between 1 and 10.');
  // Real time: the wait before this was real too.
  const nowMs = Date.now();
  const Messages = waiting(queue, nowMs)
    .slice(0, most)
    .map((message) => handOut(queue, message, nowMs));
  return { output: Messages.length === 0 ? {} : { Messages } };
}

/** Long polling: answers as soon as there is a message. */
async function longPoll(state: State, input: Input, gone: () => boolean): Promise<void> {
  const untilMs = Date.now() + Math.min(Number(input.WaitTimeSeconds ?? 0), 20) * 1_000;
  while (Date.now() < untilMs && !gone()) {
    const queue = queueAt(state, input);
    if (queue === undefined || waiting(queue, Date.now()).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25).unref());
  }
}

function remove(queue: MessageQueueState, receipt: string | undefined): boolean {
  const index = queue.messages.findIndex((message) => message.receipt === receipt);
  if (index >= 0) queue.messages.splice(index, 1);
  return index >= 0;
}

export const sqs: Service = {
  name: 'sqs',
  protocol: 'json',
  jsonVersion: '1.0',
  namespace: '',
  apiVersion: '2012-11-05',
  eventSource: 'sqs.amazonaws.com',
  global: false,
  // Messages are data: CloudTrail keeps none of these calls among the management events.
  unrecorded: true,
  operations: {
    ReceiveMessage: { readOnly: false, run: receive, wait: longPoll },
    DeleteMessage: {
      readOnly: false,
      run(call) {
        remove(queueOf(call), text(call.input, 'ReceiptHandle'));
        return { output: {} };
      },
    },
    DeleteMessageBatch: {
      readOnly: false,
      run(call) {
        const queue = queueOf(call);
        const entries = objects(call.input, 'Entries');
        for (const entry of entries) remove(queue, text(entry, 'ReceiptHandle'));
        return { output: { Successful: entries.map((entry) => ({ Id: text(entry, 'Id') ?? '' })), Failed: [] } };
      },
    },
    SendMessage: {
      readOnly: false,
      run(call) {
        const queue = queueOf(call);
        const MessageId = sendTo(queue, text(call.input, 'MessageBody') ?? '');
        return { output: { MessageId, MD5OfMessageBody: md5(text(call.input, 'MessageBody') ?? '') } };
      },
    },
  },
};

/** Puts a message into a queue, as EventBridge and SNS do. Returns its id. */
export function sendTo(queue: MessageQueueState, body: string): string {
  const id = randomUUID();
  const sentMs = Date.now();
  queue.messages.push({ id, body, sentMs, visibleMs: sentMs, deliveries: 0, receipt: undefined });
  return id;
}
