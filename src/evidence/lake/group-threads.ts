/**
 * Reads row groups in threads, one per core. They live as long as the process, so that the questions of a pivot and the commands
 * after it find them ready; until they are, the row groups are read here.
 */
import { availableParallelism } from 'node:os';
import { startThread, type Thread } from '../thread.ts';
import type { Row } from './columns.ts';
import { answerTo, type GroupAnswer, type GroupPlace, type GroupQuestion } from './group-reader.ts';
import { turns } from './turns.ts';

type GroupThread = Thread<GroupQuestion, GroupAnswer>;

interface GroupReading extends Omit<GroupQuestion, 'places'> {
  readonly signal: AbortSignal;
  /** Told of each row group that is gone or not what it was when it was written. */
  onDamage(reason: string): void;
}

const mostThreads = 4;
/** Some milliseconds: nobody waits longer for a turn, and at the end no thread long for another. */
const placesPerQuestion = 4;
/** They take longer than it takes to start a thread. */
const manyPlaces = 200;

export class GroupThreads {
  #threads: readonly GroupThread[] = [];
  #isFirst = true;

  /** How many take questions at once. */
  get ready(): number {
    return this.#threads.filter((thread) => thread.isReady).length;
  }

  /**
   * The rows that are meant, some at a time, in the order of the places. Rejects when the signal aborts, and with Error where a row
   * group that is whole is not of the kind that is read here, or where a thread died.
   */
  async *rowsIn(places: readonly GroupPlace[], reading: GroupReading): AsyncGenerator<readonly Row[]> {
    const { signal, onDamage } = reading;
    const questions = questionsOf(places, reading);
    const asked: Promise<GroupAnswer>[] = [];
    const threads = this.#threadsFor(places.length);
    const turn = turns();
    let next = 0;
    for (const [i, question] of questions.entries()) {
      const ready = threads.filter((thread) => thread.isReady);
      // One in work and one at hand for each thread.
      for (; next < Math.min(questions.length, i + ready.length * 2); next++) {
        const idlest = ready.reduce((a, b) => (b.waiting < a.waiting ? b : a));
        const answer = idlest.ask(questions[next] as GroupQuestion);
        // Who stops early does not wait for it.
        answer.catch(() => undefined);
        asked[next] = answer;
      }
      if (asked[i] === undefined) await turn();
      const answer = await (asked[i] ?? answerTo(question));
      delete asked[i];
      next = Math.max(next, i + 1);
      signal.throwIfAborted();
      for (const reason of answer.damaged) onDamage(reason);
      if (answer.rows.length > 0) yield answer.rows;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /**
   * New ones where one has died. None for the first question, which is answered before they have started: a command may have no
   * other.
   */
  #threadsFor(places: number): readonly GroupThread[] {
    const isAlone = this.#isFirst && places < manyPlaces;
    this.#isFirst = false;
    if (isAlone) return [];
    if (this.#threads.length === 0 || this.#threads.some((thread) => thread.hasEnded)) {
      const module = new URL('./group-worker.ts', import.meta.url);
      const count = Math.min(mostThreads, availableParallelism());
      this.#threads = Array.from({ length: count }, () => startThread(module));
    }
    return this.#threads;
  }
}

function questionsOf(places: readonly GroupPlace[], reading: GroupReading): readonly GroupQuestion[] {
  const { anyOf, limits, checksAll } = reading;
  const { window, accounts, regions } = limits;
  // What the session's options have beside them does not go to a thread.
  const only = { window: { from: window.from, to: window.to }, accounts, regions };
  return Array.from({ length: Math.ceil(places.length / placesPerQuestion) }, (_, i) => ({
    places: places.slice(i * placesPerQuestion, (i + 1) * placesPerQuestion),
    anyOf,
    limits: only,
    checksAll,
  }));
}

/** Those of this process. */
export const groupThreads = new GroupThreads();
