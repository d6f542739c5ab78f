/** The other side of thread.ts: takes the questions in a thread, one after the other. */
import { parentPort } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';
import type { Reply } from './thread.ts';

/** Sends the answer to each question, in their order, and what was thrown where there is none. */
export function answerQuestions<Question, Answer>(answerTo: (question: Question) => Answer | Promise<Answer>): void {
  let last: Promise<void> = Promise.resolve();
  parentPort?.on('message', (question: Question) => {
    last = last.then(async () => parentPort?.postMessage(await replyTo(question, answerTo)));
  });
  parentPort?.postMessage('ready' satisfies Reply<Answer>);
}

async function replyTo<Question, Answer>(
  question: Question,
  answerTo: (question: Question) => Answer | Promise<Answer>,
): Promise<Reply<Answer>> {
  try {
    return { answer: await answerTo(question) };
  } catch (error) {
    return { failure: asError(error).message, code: (error as NodeJS.ErrnoException).code };
  }
}
