/**
 * Socket Mode that stays connected. The library's own reconnect can crash the process and leaves seconds without a
 * connection at each refresh (@slack/socket-mode 3.1.0, DOMAIN.md 1.6), so it is off: here every connection is a receiver of
 * its own, a successor is opened before the old one is closed, and no frame or failure can end the process.
 */
import { type App, type Receiver, SocketModeReceiver } from '@slack/bolt';
import type { Clock } from '../contracts/clock.ts';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { isAllowedUrl } from './hosts.ts';
import { libraryLog } from './library-log.ts';
import { systemClock } from './pacing.ts';
import { asObject, asText } from './people.ts';
import { isWellFormed } from './requests.ts';
import { deliveryKey } from './signature.ts';
import { clientOptions } from './web-api.ts';

export interface SocketStatus {
  readonly connected: boolean;
  /** Why the last connection could not be made or was lost; undefined while all is well. */
  readonly because: string | undefined;
}

export interface SocketOptions {
  readonly appToken: string;
  readonly apiUrl: string | undefined;
  readonly log: Log;
  readonly clock?: Clock;
  /** First pause after a failure; it doubles up to 30 s. */
  readonly backoffMs?: number;
  /** How long a connection that Slack will cut stays open for the answers that are under way; Slack gives 10 s. */
  readonly drainMs?: number;
}

interface SocketReceiver extends Receiver {
  readonly status: () => SocketStatus;
}

const helloWithinMs = 15_000;
const maxBackoffMs = 30_000;
/** The peer may never answer a close frame; asked a second time, the library cuts the connection. */
const closeWithinMs = 1_000;

interface Connection {
  readonly receiver: SocketModeReceiver;
  /** Slack says that it will end it, and why. */
  readonly leaving: Promise<string>;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
}

/** The receiver: `start` returns at once, and the connection is kept for ever until `stop`. */
export function openSocket(options: SocketOptions): SocketReceiver {
  const { appToken, apiUrl, log, clock = systemClock, backoffMs = 500, drainMs = 3_000 } = options;
  const stopping = new AbortController();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const live = new Set<Connection>();
  const closing = new Set<Promise<void>>();
  let app: App | undefined;
  let because: string | undefined = 'not connected yet';
  let keeping: Promise<void> = Promise.resolve();

  /** Waits, or until the process stops. */
  async function pause(ms: number): Promise<void> {
    try {
      await clock.sleep(ms, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  }

  /** One connection, with its hello. Throws when there is none. */
  async function connect(bolt: App): Promise<Connection> {
    const receiver = new SocketModeReceiver({
      appToken,
      autoReconnectEnabled: false,
      logger: libraryLog(log),
      installerOptions: { clientOptions: clientOptions(apiUrl, 10_000, log) },
      customPropertiesExtractor: (args) => ({ deliveryKey: deliveryKey('envelope', String(args.envelope_id)) }),
      processEventErrorHandler: async ({ error }) => {
        log.error({ error }, 'a Slack request could not be handled');
        return false;
      },
    });
    receiver.init(bolt);
    const { promise: leaving, resolve: leave } = Promise.withResolvers<string>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    guardFrames(receiver.client, leave, log);
    receiver.client.on('authenticated', (answer: unknown) => {
      // Throwing here ends the library's start before it connects anywhere.
      const address = asText(asObject(answer).url) ?? '';
      if (!isAllowedUrl(address, apiUrl)) throw new Error('Slack named a WebSocket address that is not one of Slack');
    });
    receiver.client.on('disconnected', () => end());
    const connection: Connection = { receiver, leaving, ended };
    const late = new AbortController();
    const orNot = async (first: Promise<unknown>, why: string): Promise<never> => {
      await first;
      throw new Error(why);
    };
    try {
      await Promise.race([
        receiver.client.start(),
        orNot(clock.sleep(helloWithinMs, late.signal), 'no hello in time'),
        orNot(stopped, 'stopping'),
      ]);
    } catch (error) {
      await close(connection);
      throw error ?? new Error('the connection was closed before hello');
    } finally {
      late.abort();
    }
    live.add(connection);
    return connection;
  }

  async function close({ receiver, ended }: Connection): Promise<void> {
    const done = new AbortController();
    await receiver.stop();
    const gone = await Promise.race([
      ended.then(() => true),
      clock.sleep(closeWithinMs, done.signal).then(() => false),
    ]);
    done.abort();
    if (!gone) await receiver.stop();
  }

  /** Closes an old connection once the answers under way had their time. */
  function retire(connection: Connection | undefined): void {
    if (connection === undefined || !live.has(connection)) return;
    const work = pause(drainMs)
      .then(() => close(connection))
      .catch((error: unknown) => log.warn({ error: asError(error) }, 'a Socket Mode connection did not close'))
      .finally(() => closing.delete(work));
    closing.add(work);
  }

  /** Waits until a new connection is needed; true when its successor may come at once. */
  async function watch(connection: Connection): Promise<boolean> {
    const lost = connection.ended.then(() => live.delete(connection)).then(() => 'lost');
    const reason = await Promise.race([connection.leaving, lost, stopped.then(() => 'stopping')]);
    if (stopping.signal.aborted) return true;
    log.info({ reason }, 'Slack ends a Socket Mode connection, opening another');
    because = live.has(connection) ? undefined : 'the connection was lost';
    if (reason === 'warning' || reason === 'refresh_requested') return true;
    if (live.has(connection)) await close(connection);
    return false;
  }

  async function keep(bolt: App): Promise<void> {
    let pauseMs = backoffMs;
    let previous: Connection | undefined;
    while (!stopping.signal.aborted) {
      const startedAt = clock.now().getTime();
      try {
        const connection = await connect(bolt);
        because = undefined;
        retire(previous);
        previous = connection;
        const planned = await watch(connection);
        const lastedMs = clock.now().getTime() - startedAt;
        if (lastedMs > maxBackoffMs) pauseMs = backoffMs;
        // A connection that Slack cuts as soon as it is made must not become a busy loop.
        if (planned && lastedMs > backoffMs) continue;
      } catch (error) {
        if (stopping.signal.aborted) break;
        because = asError(error).message;
        log.warn({ error: asError(error), pauseMs }, 'Socket Mode is not connected, trying again');
      }
      await pause(pauseMs);
      pauseMs = Math.min(maxBackoffMs, pauseMs * 2);
    }
  }

  return {
    status: () => ({ connected: live.size > 0, because }),
    init(bolt) {
      app = bolt;
    },
    async start() {
      if (app !== undefined) keeping = keep(app);
    },
    async stop() {
      stopping.abort();
      stop();
      await keeping;
      await Promise.all([...closing, ...[...live].map(close)]);
    },
  };
}

/** Puts a filter before the library's frame handler, which trusts every frame and closes at once on `disconnect`. */
function guardFrames(client: SocketModeReceiver['client'], leave: (reason: string) => void, log: Log): void {
  const handlers = client.listeners('ws_message');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown, isBinary: unknown) => {
    const frame = isBinary === true ? undefined : parseFrame(data);
    if (frame === undefined) {
      log.warn({}, 'a Socket Mode frame was not understood and is ignored');
      return;
    }
    if (frame.type === 'disconnect') {
      leave(asText(frame.reason) ?? 'unknown');
      return;
    }
    for (const handle of handlers) {
      // The library's handler is async; what it throws would otherwise end the process.
      Promise.resolve(handle.call(client, data, isBinary)).catch((error: unknown) =>
        log.error({ error: asError(error) }, 'a Socket Mode frame could not be handled'),
      );
    }
  });
}

/** A frame that the library can handle without tripping; undefined for any other. */
function parseFrame(data: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof data !== 'string') return undefined;
  let frame: Readonly<Record<string, unknown>>;
  try {
    frame = asObject(JSON.parse(data));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (frame.type === 'hello' || frame.type === 'disconnect') return frame;
  const known = frame.type === 'slash_commands' || frame.type === 'interactive' || frame.type === 'events_api';
  if (!known || asText(frame.envelope_id) === undefined) return undefined;
  const payload = asObject(frame.payload);
  // The library emits the event's type as an event of its own emitter.
  if (frame.type === 'events_api' && !('event' in payload)) return undefined;
  return isWellFormed(payload) ? frame : undefined;
}
