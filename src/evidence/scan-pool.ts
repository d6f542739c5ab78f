/** Threads that look through files: one per core, as long as one scan takes. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';
import { type FileQuestion, scanFile } from './scan-file.ts';
import type { FileAnswer } from './scan-worker.ts';

const mostThreads = 8;
/** A thread takes longer to start than so many bytes to be looked through. */
const fewBytes = 16 * 1024 * 1024;

export interface ScanPool {
  /** How many questions to ask at the same time. */
  readonly width: number;
  /** As `scanFile`. Rejects with what the file system says, and with Error where a thread died. */
  ask(question: FileQuestion): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** Answers come in the order of the questions. */
  ended: Error | undefined;
  readonly waiting: { resolve(answer: FileAnswer): void; reject(error: Error): void }[];
}

/**
 * @param bytes of all files
 * @param few up to so many are looked through without threads
 */
export function openScanPool(bytes: number, few = fewBytes): ScanPool {
  if (bytes <= few) return { width: 1, ask: async (question) => scanFile(question), close: async () => undefined };
  const threads = Array.from({ length: Math.min(mostThreads, availableParallelism()) }, startThread);
  return {
    // One in work and one at hand for each.
    width: threads.length * 2,
    async ask(question) {
      const thread = threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
      if (thread.ended) throw thread.ended;
      const answer = await new Promise<FileAnswer>((resolve, reject) => {
        thread.waiting.push({ resolve, reject });
        thread.worker.postMessage(question);
      });
      if ('failure' in answer) throw Object.assign(new Error(answer.failure), { code: answer.code });
      return answer.texts;
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(): Thread {
  // No arguments of the parent: a test runner's or a profiler's flags are not for the worker.
  const worker = new Worker(new URL('./scan-worker.ts', import.meta.url), { execArgv: [] });
  const thread: Thread = { worker, ended: undefined, waiting: [] };
  const failAll = (error: Error) => {
    thread.ended ??= error;
    for (const { reject } of thread.waiting.splice(0)) reject(error);
  };
  worker.on('message', (answer: FileAnswer) => thread.waiting.shift()?.resolve(answer));
  worker.on('error', (error) => failAll(asError(error)));
  worker.on('exit', () => failAll(new Error('A thread that looked through files has ended.')));
  return thread;
}
