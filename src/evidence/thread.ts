/** A thread that answers questions, one after the other. */
import { type TransferListItem, Worker } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';

/** What a thread sends: that it takes questions, then for each its answer, or what it met. */
export type Reply<Answer> =
  | 'ready'
  | { readonly answer: Answer }
  | { readonly failure: string; readonly code: string | undefined };

export interface Thread<Question, Answer> {
  /** Questions without an answer yet. */
  readonly waiting: number;
  /** It has started and takes questions at once. */
  readonly isReady: boolean;
  /** It answers no more questions: it died or was closed. */
  readonly hasEnded: boolean;
  /** Rejects with what the thread threw (with its `code`), and with Error where the thread died. */
  ask(question: Question, transfer?: readonly TransferListItem[]): Promise<Answer>;
  close(): Promise<void>;
}

/** @param module what runs in the thread; it calls `answerQuestions` of answer-questions.ts */
export function startThread<Question, Answer>(module: URL, workerData?: unknown): Thread<Question, Answer> {
  // No arguments of the parent: a test runner's or a profiler's flags are not for the worker.
  const worker = new Worker(module, { execArgv: [], workerData });
  // One without a question keeps no process alive.
  worker.unref();
  /** Answers come in the order of the questions. */
  const waiting: { resolve(reply: Exclude<Reply<Answer>, 'ready'>): void; reject(error: Error): void }[] = [];
  let isReady = false;
  let ended: Error | undefined;
  const failAll = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on('message', (reply: Reply<Answer>) => {
    if (reply === 'ready') isReady = true;
    else waiting.shift()?.resolve(reply);
    if (waiting.length === 0) worker.unref();
  });
  worker.on('error', (error) => failAll(asError(error)));
  worker.on('exit', () => failAll(new Error('A thread of this process has ended.')));
  return {
    get waiting() {
      return waiting.length;
    },
    get isReady() {
      return isReady;
    },
    get hasEnded() {
      return ended !== undefined;
    },
    async ask(question, transfer = []) {
      if (ended) throw ended;
      const reply = await new Promise<Exclude<Reply<Answer>, 'ready'>>((resolve, reject) => {
        worker.postMessage(question, transfer);
        waiting.push({ resolve, reject });
        worker.ref();
      });
      if ('failure' in reply) throw Object.assign(new Error(reply.failure), { code: reply.code });
      return reply.answer;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
