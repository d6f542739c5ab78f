/** The machine's own clock. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from './contracts/clock.ts';

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : { signal }),
};
