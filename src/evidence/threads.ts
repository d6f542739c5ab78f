/** Threads that answer questions, each one after the other. */
import { Worker } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';

export interface Threads<Question, Answer> {
  readonly count: number;
  /** Asks the one with the fewest questions. Rejects with Error where it died. */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

interface Thread<Answer> {
  readonly worker: Worker;
  ended: Error | undefined;
  /** Answers come in the order of the questions. */
  readonly waiting: { resolve(answer: Answer): void; reject(error: Error): void }[];
}

/**
 * @param script posts one answer for each message, in their order
 */
export function startThreads<Question, Answer>(script: URL, count: number): Threads<Question, Answer> {
  const threads = Array.from({ length: count }, () => startThread<Answer>(script));
  return {
    count,
    ask: (question) => {
      const thread = threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
      if (thread.ended) return Promise.reject(thread.ended);
      return new Promise<Answer>((resolve, reject) => {
        thread.waiting.push({ resolve, reject });
        // Idle threads keep no process alive; one that is asked does.
        thread.worker.ref();
        thread.worker.postMessage(question);
      });
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread<Answer>(script: URL): Thread<Answer> {
  // No arguments of the parent: a test runner's or a profiler's flags are not for the worker.
  const worker = new Worker(script, { execArgv: [] });
  worker.unref();
  const thread: Thread<Answer> = { worker, ended: undefined, waiting: [] };
  const failAll = (error: Error) => {
    thread.ended ??= error;
    for (const { reject } of thread.waiting.splice(0)) reject(error);
  };
  worker.on('message', (answer: Answer) => {
    thread.waiting.shift()?.resolve(answer);
    if (thread.waiting.length === 0) worker.unref();
  });
  worker.on('error', (error) => failAll(asError(error)));
  worker.on('exit', () => failAll(new Error('A thread that looked through files has ended.')));
  return thread;
}
