/** Threads that look through files: one per core, as long as one scan takes. */
import { availableParallelism } from 'node:os';
import { type FileQuestion, scanFile } from './scan-file.ts';
import type { FileAnswer } from './scan-worker.ts';
import { startThreads } from './threads.ts';

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

/**
 * @param bytes of all files
 * @param few up to so many are looked through without threads
 */
export function openScanPool(bytes: number, few = fewBytes): ScanPool {
  if (bytes <= few) return { width: 1, ask: async (question) => scanFile(question), close: async () => undefined };
  const count = Math.min(mostThreads, availableParallelism());
  const threads = startThreads<FileQuestion, FileAnswer>(new URL('./scan-worker.ts', import.meta.url), count);
  return {
    // One in work and one at hand for each.
    width: count * 2,
    async ask(question) {
      const answer = await threads.ask(question);
      if ('failure' in answer) throw Object.assign(new Error(answer.failure), { code: answer.code });
      return answer.texts;
    },
    close: () => threads.close(),
  };
}
