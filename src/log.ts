/** pino behind the Log contract: JSON lines on stderr, so that stdout stays free for answers. */
import pino from 'pino';
import type { Log } from './contracts/log.ts';
import { redact } from './domain/redaction.ts';

/** pino's own `redact` covers one level of wildcard only, so the fields are scrubbed by us before they reach it. */
export function openLog(level: string, fields: Readonly<Record<string, unknown>> = {}): Log {
  const logger = pino(
    {
      level,
      base: { ...fields, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: (object) => redact(object) as Record<string, unknown> },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return {
    debug: (details, message) => logger.debug(details, message),
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
  };
}
