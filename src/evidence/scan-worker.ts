/** Answers questions about files, one after the other, in a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';
import { type FileQuestion, scanFile } from './scan-file.ts';

export type FileAnswer =
  /** Texts of records; absent where the file has to be read in another way. */
  { readonly texts: readonly string[] | undefined } | { readonly failure: string; readonly code: string | undefined };

function answerTo(question: FileQuestion): FileAnswer {
  try {
    return { texts: scanFile(question) };
  } catch (error) {
    return { failure: asError(error).message, code: (error as NodeJS.ErrnoException).code };
  }
}

parentPort?.on('message', (question: FileQuestion) => parentPort?.postMessage(answerTo(question)));
