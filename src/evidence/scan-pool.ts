/** Threads that look through files: one per core, as long as one scan takes. */
import { availableParallelism } from 'node:os';
import { type FileQuestion, scanFile } from './scan-file.ts';
import { startThread } from './thread.ts';

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
  const module = new URL('./scan-worker.ts', import.meta.url);
  const threads = Array.from({ length: Math.min(mostThreads, availableParallelism()) }, () =>
    startThread<FileQuestion, readonly string[] | undefined>(module),
  );
  return {
    // One in work and one at hand for each.
    width: threads.length * 2,
    ask: (question) => threads.reduce((a, b) => (b.waiting < a.waiting ? b : a)).ask(question),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}
