/** The one HTTP port: Slack's door, the webhooks, health and metrics. In Socket Mode the port stays for the webhooks. */
import Fastify from 'fastify';
import type { Config } from './config.ts';
import { asError } from './contracts/errors.ts';
import type { Log } from './contracts/log.ts';
import { answerCommand } from './flows/answer-command.ts';
import type { WebDeps } from './flows/deps.ts';
import { pressButton } from './flows/press-button.ts';
import { receiveAlert } from './flows/receive-alert.ts';
import { openMetrics } from './metrics.ts';
import { startSlack } from './slack/app.ts';
import { type ReadyPart, registerWebhooks } from './webhooks/server.ts';

const bodyLimit = 1_048_576;

export async function startWeb(config: Config, deps: WebDeps): Promise<{ port: number; stop(): Promise<void> }> {
  const { store, queue, chat, clock, log } = deps;
  // Both doors parse their own bytes; a proxy's forwarded headers are not trusted for anything.
  const server = Fastify({ logger: false, bodyLimit, requestTimeout: 15_000, forceCloseConnections: 'idle' });
  const metrics = openMetrics(queue);
  server.addHook('onResponse', (request, reply, done) => {
    metrics.answered(request.routeOptions.url ?? 'unknown', reply.statusCode, reply.elapsedTime);
    done();
  });
  await registerWebhooks(server, {
    tokens: config.webhookTokens.map((token) => token.reveal()),
    metricsToken: config.metricsToken?.reveal(),
    receive: (input) => receiveAlert(input, deps),
    ready: () => readiness(deps),
    metrics: () => metrics.read(),
    log,
    now: () => clock.now(),
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
  await server.listen({ host: config.host, port: config.port });
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.port,
    async stop() {
      await slack.stop();
      await server.close();
    },
  };
}

/** Ready means: an alert can be stored and queued. Slack trouble is shown, and turns nothing away. */
async function readiness({
  store,
  queue,
  chat,
  log,
}: WebDeps): Promise<{ ok: boolean; parts: Record<string, ReadyPart> }> {
  const [database, jobs, slack] = await Promise.all([
    check(() => store.check(), 'database', log),
    check(() => queue.check(), 'queue', log),
    chat.reachable(),
  ]);
  const parts = {
    database: { ...database, required: true },
    queue: { ...jobs, required: true },
    slack: slack.ok ? { ok: true, required: false } : { ok: false, because: slack.because, required: false },
  };
  return { ok: database.ok && jobs.ok, parts };
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
