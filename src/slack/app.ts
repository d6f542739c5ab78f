/** Slack's way in: the Bolt app over HTTP or Socket Mode. It answers in time; the handlers decide and store. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AckFn, App, type Receiver, type RespondArguments, type ViewResponseAction } from '@slack/bolt';
import type { FastifyInstance } from 'fastify';
import type { Chat } from '../contracts/chat.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { Message } from '../contracts/message.ts';
import { refusal } from '../domain/phrases.ts';
import { toSlack, withBlocks } from './blocks.ts';
import { type CodeRequest, codeOf, codeProblem } from './code-dialog.ts';
import { libraryLog } from './library-log.ts';
import { httpReceiver } from './receiver.ts';
import { type ReportRequest, reportOf, reportProblem } from './report-dialog.ts';
import { type ActionRequest, actionsOf, type CommandRequest, commandOf } from './requests.ts';
import { type SnoozeProblem, type SnoozeRequest, snoozeOf, snoozeProblem } from './snooze-dialog.ts';
import { openSocket, type SocketOptions, type SocketStatus } from './socket.ts';
import { clientOptions } from './web-api.ts';

export interface SlackHandlers {
  /** Stores and queues; the Message goes to the typist alone, undefined where a dialog is the answer. UserError is shown to him, anything else is "not stored". */
  command(request: CommandRequest): Promise<Message | undefined>;
  /** Stores and queues. Refusals are the handler's to send, or a UserError. */
  action(request: ActionRequest): Promise<void>;
  /** Stores and queues. UserError is shown in the dialog, anything else is "not stored". */
  report(request: ReportRequest): Promise<void>;
  /** The same, for a one-time code. */
  code(request: CodeRequest): Promise<void>;
  /** The same, for a snooze. What comes back is shown at its field. */
  snooze(request: SnoozeRequest): Promise<SnoozeProblem | undefined>;
}

export interface SlackOptions {
  readonly botToken: string;
  readonly apiUrl?: string | undefined;
  readonly handlers: SlackHandlers;
  /**
   * True for a key that was never seen, and remembered then, for at least 10 minutes; false for a repeat. Throws where it
   * cannot be stored.
   */
  firstTime(key: string): Promise<boolean>;
  /** For telling people that their click was not stored; without it they see Slack's own warning sign only. */
  readonly chat?: Pick<Chat, 'tell'> | undefined;
  readonly http?: {
    readonly fastify: FastifyInstance;
    readonly signingSecrets: readonly string[];
    readonly now: () => Date;
  };
  readonly socket?: Pick<SocketOptions, 'appToken' | 'backoffMs' | 'drainMs'>;
  readonly log: Log;
  /** How long a handler may take before the person is told that it is not certain; default 2,700 ms of Slack's 3 s. */
  readonly answerWithinMs?: number;
}

type SlackStatus = { readonly mode: 'http'; readonly refused: number } | ({ readonly mode: 'socket' } & SocketStatus);

export interface SlackApp {
  stop(): Promise<void>;
  status(): SlackStatus;
}

const notStored = 'Firebreak cannot store this now, nothing was started. Try again in a minute.';
/** Nothing else is asked of Slack before an answer but to open one. */
const noDialog = 'Slack opened no dialog, so nothing was started. Try again.';
const notCertain =
  'Firebreak needed too long to confirm this, so it is not certain that it was started. Look at the channel before you try again.';

class TooSlow extends Error {}

/**
 * Starts receiving. It is ready when it returns in HTTP mode (the server need not listen yet, and must not before); in Socket
 * Mode the connection is made and kept in the background, so that Slack trouble never stops the process. Give `socket` or
 * `http`; `socket` wins. Throws only on wrong use.
 */
export async function startSlack(options: SlackOptions): Promise<SlackApp> {
  const { botToken, apiUrl, handlers, firstTime, chat, log, answerWithinMs = 2_700 } = options;
  const socket = options.socket === undefined ? undefined : openSocket({ ...options.socket, apiUrl, log });
  const http = options.http === undefined || socket !== undefined ? undefined : httpReceiver({ ...options.http, log });
  const receiver: Receiver | undefined = socket ?? http;
  if (receiver === undefined) throw new Error('startSlack needs socket or http');
  const bolt = new App({
    receiver,
    // With `token`, Bolt would ask auth.test before the first request is handled, and refuse it when Slack is down.
    authorize: async () => ({ botToken }),
    attachFunctionToken: false,
    convoStore: false,
    ignoreSelf: false,
    clientOptions: clientOptions(apiUrl, 10_000, log),
    logger: libraryLog(log),
  });

  async function inTime<T>(work: Promise<T>): Promise<T> {
    const stop = new AbortController();
    // After the deadline nobody awaits it any more; its end is still worth a line.
    work.catch((error: unknown) => log.debug({ error: asError(error) }, 'a Slack handler failed'));
    try {
      return await Promise.race([
        work,
        delay(answerWithinMs, undefined, { signal: stop.signal }).then(() => {
          throw new TooSlow('no answer in time');
        }),
      ]);
    } finally {
      stop.abort();
    }
  }

  /** What the person is told about a failure; what is not his to put right is logged. */
  function problem(thrown: unknown, what: string): Message {
    if (thrown instanceof UserError) return refusal(thrown.message, thrown.hint);
    const error = asError(thrown);
    log.error({ error, what, code: error instanceof UpstreamError ? error.code : undefined }, 'a Slack request failed');
    if (thrown instanceof TooSlow) return refusal(notCertain, undefined);
    return refusal(error instanceof UpstreamError && error.service === 'slack' ? noDialog : notStored, undefined);
  }

  async function tell(request: ActionRequest, message: Message): Promise<void> {
    if (chat === undefined) return;
    const { channelId, userId, threadTs } = request;
    try {
      await chat.tell({ channel: channelId, userId, threadTs, message });
    } catch (error) {
      log.warn({ error: asError(error), channel: channelId, userId }, 'a person could not be told that a click failed');
    }
  }

  async function runCommand(request: CommandRequest): Promise<Message | undefined> {
    return (await firstTime(request.key)) ? await handlers.command(request) : undefined;
  }

  async function onCommand(
    body: Readonly<Record<string, unknown>>,
    key: string,
    ack: AckFn<RespondArguments>,
  ): Promise<void> {
    const request = commandOf(body, key);
    let reply: Message | undefined;
    try {
      reply = request === undefined ? undefined : await inTime(runCommand(request));
    } catch (thrown) {
      reply = problem(thrown, 'command');
    }
    if (reply === undefined) return ack();
    const { text, blocks } = toSlack(reply);
    return ack({ response_type: 'ephemeral', text, ...withBlocks(blocks) });
  }

  async function runActions(requests: readonly ActionRequest[], key: string): Promise<boolean> {
    if (requests.length > 0 && !(await firstTime(key))) return true;
    let stored = true;
    for (const request of requests) {
      try {
        await handlers.action(request);
      } catch (thrown) {
        if (!(thrown instanceof UserError)) stored = false;
        tell(request, problem(thrown, request.action)).catch((error: unknown) =>
          log.error({ error: asError(error) }, 'telling failed'),
        );
      }
    }
    return stored;
  }

  async function onActions(body: Readonly<Record<string, unknown>>, key: string, ack: AckFn<undefined>): Promise<void> {
    const requests = actionsOf(body, key);
    try {
      // Without an acknowledgement Slack shows its warning sign at the button: nothing is lost silently.
      if (await inTime(runActions(requests, key))) await ack();
    } catch (thrown) {
      const message = problem(thrown, 'action');
      const [first] = requests;
      if (first !== undefined) await tell(first, message);
    }
  }

  /** The dialog closes only once the report is stored: the words in it are not to be typed twice. */
  async function onView(
    body: Readonly<Record<string, unknown>>,
    key: string,
    ack: AckFn<ViewResponseAction | undefined>,
  ): Promise<void> {
    const code = codeOf(body, key);
    const report = reportOf(body, key);
    const snooze = snoozeOf(body, key);
    try {
      if (code !== undefined) {
        // Sent twice by Slack it is one code, which counts once.
        await inTime(firstTime(key).then((isFirst) => (isFirst ? handlers.code(code) : undefined)));
      } else if (report !== undefined) await inTime(handlers.report(report));
      else if (snooze !== undefined) {
        const wrong = await inTime(handlers.snooze(snooze));
        if (wrong !== undefined) return ack(snoozeProblem(wrong));
      }
    } catch (thrown) {
      const { text } = problem(thrown, 'dialog');
      if (snooze !== undefined) return ack(snoozeProblem({ at: 'reason', words: text }));
      return ack(code === undefined ? reportProblem(text) : codeProblem(text));
    }
    return ack();
  }

  bolt.command(/^/u, ({ body, context, ack }) => onCommand({ ...body }, String(context.deliveryKey), ack));
  bolt.action({}, ({ body, context, ack }) =>
    onActions({ ...body }, String(context.deliveryKey), ack as AckFn<undefined>),
  );
  // Everything else that an app may be sent is acknowledged, so that nobody sees a warning sign, and ignored.
  bolt.shortcut(/^/u, ({ ack }) => ack());
  bolt.view(/^/u, ({ body, context, ack }) =>
    onView({ ...body }, String(context.deliveryKey), ack as AckFn<ViewResponseAction | undefined>),
  );
  bolt.view({ type: 'view_closed' }, ({ ack }) => ack());
  bolt.options(/^/u, ({ ack }) => ack({ options: [] }));
  await receiver.start();
  return {
    stop: async () => {
      await receiver.stop();
    },
    status: () =>
      socket === undefined ? { mode: 'http', refused: http?.refused() ?? 0 } : { mode: 'socket', ...socket.status() },
  };
}
