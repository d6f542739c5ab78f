import type { Log } from '../../src/contracts/log.ts';

/** A log that says nothing. */
export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
