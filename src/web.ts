/** The one HTTP port: Slack's door, the webhooks, health and metrics. In Socket Mode the port stays for the webhooks. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import { asError, SetupError } from './contracts/errors.ts';
import type { Log } from './contracts/log.ts';
import { answerCommand } from './flows/answer-command.ts';
import type { WebDeps } from './flows/deps.ts';
import { receiveSubscription } from './flows/handle-subscription.ts';
import { keepLetter } from './flows/keep-letter.ts';
import { pressButton } from './flows/press-button.ts';
import { receiveAlert } from './flows/receive-alert.ts';
import { reportFromDialog } from './flows/report.ts';
import { snoozeFromDialog } from './flows/snooze-dialog.ts';
import { voteWithCode } from './flows/vote-with-code.ts';
import { intakeReady } from './intake-ready.ts';
import { openMetrics } from './metrics.ts';
import { startSlack } from './slack/app.ts';
import { type ReadyPart, registerWebhooks } from './webhooks/server.ts';
import { registerSns } from './webhooks/sns-door.ts';
import { fetchCertificate } from './webhooks/sns-signature.ts';
import { readCertificates } from './wire.ts';

const bodyLimit = 1_048_576;

/** What the operator can put right, by the system's error code. */
const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken, maybe by another Firebreak; stop that one or choose another PORT',
  EACCES: 'this account may not use the port; choose one above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no host of that name',
};

export async function startWeb(config: Config, deps: WebDeps): Promise<{ port: number; stop(): Promise<void> }> {
  const { store, queue, chat, clock, log } = deps;
  // Both doors parse their own bytes; a proxy's forwarded headers are not trusted for anything.
  const server = Fastify({ logger: false, bodyLimit, requestTimeout: 15_000, forceCloseConnections: 'idle' });
  const metrics = openMetrics({ queue, store, chat, log });
  server.addHook('onResponse', (request, reply, done) => {
    metrics.answered(request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime);
    done();
  });
  await registerWebhooks(server, {
    tokens: config.webhookTokens.map((token) => token.reveal()),
    metricsToken: config.metricsToken?.reveal(),
    mappings: config.mappings,
    receive: (input) => receiveAlert(input, deps),
    ready: () => readiness(config, deps),
    metrics: () => metrics.read(),
    log,
    now: () => clock.now(),
  });
  await registerSns(server, {
    trust: {
      topics: config.sns.topics,
      allowVersion1: config.sns.allowVersion1,
      certificates: readCertificates(config),
      fetchCertificate,
      now: () => clock.now(),
    },
    mappings: config.mappings,
    receive: (input) => receiveAlert(input, deps),
    subscription: (input) => receiveSubscription(input, deps),
    keep: (letter) => keepLetter({ ...letter, door: 'sns' }, deps),
    log,
  });
  const { appToken, signingSecrets, botToken, apiUrl } = config.slack;
  const slack = await startSlack({
    botToken: botToken?.reveal() ?? '',
    apiUrl,
    chat,
    firstTime: (key) => store.firstTime(key, clock.now().toISOString()),
    handlers: {
      command: (request) => answerCommand(request, deps),
      action: (request) => pressButton(request, deps),
      report: (request) => reportFromDialog(request, deps),
      code: (request) => voteWithCode(request, deps),
      snooze: (request) => snoozeFromDialog(request, deps),
    },
    ...(appToken === undefined
      ? {
          http: {
            fastify: server,
            signingSecrets: signingSecrets.map((secret) => secret.reveal()),
            now: () => clock.now(),
          },
        }
      : { socket: { appToken: appToken.reveal() } }),
    log,
  });
  await listen(server, config);
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.port,
    async stop() {
      await slack.stop();
      await server.close();
    },
  };
}

async function listen(server: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const problem = listenProblems[String((error as { code?: unknown }).code)];
    if (problem === undefined) throw error;
    throw new SetupError([`cannot listen on HOST ${host}, PORT ${port}: ${problem}`]);
  }
}

/** Ready means: an alert can be stored and queued. Slack trouble is shown, and turns nothing away. */
async function readiness(
  config: Config,
  { store, queue, chat, clock, log }: WebDeps,
): Promise<{ ok: boolean; parts: Record<string, ReadyPart> }> {
  const [database, jobs, slack, waiting] = await Promise.all([
    check(() => store.check(), 'database', log),
    check(() => queue.check(), 'queue', log),
    chat.reachable(),
    waitingAlerts(store, log),
  ]);
  const parts = {
    database: { ...database, required: true },
    queue: { ...jobs, required: true },
    ...(database.ok ? { intake: await intakeReady(config, store, clock.now(), log) } : {}),
    slack: {
      ...(slack.ok ? { ok: true } : { ok: false, because: slack.because }),
      required: false,
      ...(waiting === undefined ? {} : { waiting }),
    },
  };
  return { ok: database.ok && jobs.ok, parts };
}

/** Alerts and lines of digests that Slack has not got yet; undefined where the database does not tell. */
async function waitingAlerts(store: WebDeps['store'], log: Log): Promise<number | undefined> {
  try {
    const { alerts, lines } = await store.noise.waiting();
    return alerts + lines;
  } catch (error) {
    log.warn({ error: asError(error) }, 'what waits for Slack could not be counted');
    return undefined;
  }
}

async function check(ask: () => Promise<void>, what: string, log: Log): Promise<{ ok: boolean; because?: string }> {
  try {
    await ask();
    return { ok: true };
  } catch (error) {
    log.warn({ what, error: asError(error) }, 'not ready');
    return { ok: false, because: `${what} does not take anything now` };
  }
}
