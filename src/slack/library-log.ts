/** Slack's libraries log sentences with data in them; Firebreak's log takes constant messages with fields. */
import { type Logger, LogLevel } from '@slack/web-api';
import type { Log } from '../contracts/log.ts';
import { inert } from '../domain/inert.ts';

function detail(messages: readonly unknown[]): string {
  const text = messages.map((message) => (message instanceof Error ? message.message : String(message))).join(' ');
  // Socket Mode addresses carry a one-time ticket.
  return inert(
    text.replaceAll(/\bwss?:\/\/\S+/gu, '[address]').replaceAll(/\bxox[a-z]?-\S+|\bxapp-\S+/gu, '[token]'),
    300,
  );
}

/** A logger for Bolt, WebClient and Socket Mode. Their debug lines hold whole frames and bodies, so those are dropped. */
export function libraryLog(log: Log): Logger {
  return {
    debug: () => undefined,
    info: (...messages) => log.debug({ detail: detail(messages) }, 'Slack library note'),
    warn: (...messages) => log.info({ detail: detail(messages) }, 'Slack library warning'),
    error: (...messages) => log.warn({ detail: detail(messages) }, 'Slack library error'),
    setLevel: () => undefined,
    setName: () => undefined,
    getLevel: () => LogLevel.INFO,
  };
}
