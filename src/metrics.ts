/** Prometheus metrics: what came in, what waits, what failed. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Chat } from './contracts/chat.ts';
import { asError } from './contracts/errors.ts';
import type { Queue } from './contracts/job.ts';
import type { Log } from './contracts/log.ts';
import type { Store } from './contracts/store.ts';

export interface Metrics {
  /** `route` is the route's pattern, never what somebody typed. Time in ms. */
  answered(route: string, status: number, ms: number): void;
  read(): Promise<{ contentType: string; body: string }>;
}

interface Sources {
  readonly queue: Queue;
  readonly store: Pick<Store, 'noise' | 'deadLetters' | 'intake' | 'anchors'>;
  readonly chat: Pick<Chat, 'reachable'>;
  readonly log: Log;
}

export function openMetrics({ queue, store, chat, log }: Sources): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const answers = new Counter({
    name: 'firebreak_http_answers_total',
    help: 'HTTP answers by route and status',
    labelNames: ['route', 'status'],
    registers: [register],
  });
  const seconds = new Histogram({
    name: 'firebreak_http_answer_seconds',
    help: 'Time to answer by route',
    labelNames: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [register],
  });
  const jobs = new Gauge({
    name: 'firebreak_jobs',
    help: 'Jobs by lane and state',
    labelNames: ['lane', 'state'],
    registers: [register],
  });
  const slackUp = new Gauge({
    name: 'firebreak_slack_up',
    help: '1 while Slack accepts our token',
    registers: [register],
  });
  const waiting = new Gauge({
    name: 'firebreak_waiting_for_slack',
    help: 'What is stored and not in Slack yet: alerts, criticals among them, lines of digests',
    labelNames: ['what'],
    registers: [register],
  });
  async function readSlack(): Promise<void> {
    slackUp.set((await chat.reachable()).ok ? 1 : 0);
    try {
      for (const [what, count] of Object.entries(await store.noise.waiting())) waiting.set({ what }, count);
    } catch (error) {
      // A figure of before would say that nothing waits: none is better.
      waiting.reset();
      log.warn({ error: asError(error) }, 'what waits for Slack could not be counted');
    }
  }
  const deadLetters = new Gauge({
    name: 'firebreak_dead_letters',
    help: 'Messages and alerts that were received, not taken and not replayed yet, by door',
    labelNames: ['door'],
    registers: [register],
  });
  const sources = new Gauge({
    name: 'firebreak_intake_sources',
    help: 'Queues, and places where GuardDuty is asked, by how the last look ended',
    labelNames: ['kind', 'state'],
    registers: [register],
  });
  const failing = new Gauge({
    name: 'firebreak_intake_failing_seconds',
    help: 'For how long a queue or a place of GuardDuty cannot be read',
    labelNames: ['source', 'reason'],
    registers: [register],
  });
  const taken = new Gauge({
    name: 'firebreak_intake_taken',
    help: 'New alerts that came from queues and from asking GuardDuty, since the installation',
    labelNames: ['kind'],
    registers: [register],
  });

  const anchors = new Gauge({
    name: 'firebreak_audit_anchors',
    help: 'Tries to put the head of the audit into S3, since the installation',
    labelNames: ['result'],
    registers: [register],
  });
  const anchoredAt = new Gauge({
    name: 'firebreak_audit_anchored_timestamp_seconds',
    help: 'When the head of the audit was last put into S3',
    registers: [register],
  });

  /** Nothing where nothing was ever tried: the config may name no bucket. */
  async function readAnchors(): Promise<void> {
    const state = await store.anchors.state();
    if (state === undefined) return;
    anchors.set({ result: 'written' }, state.written);
    anchors.set({ result: 'failed' }, state.failed);
    if (state.last !== undefined) anchoredAt.set(Date.parse(state.last.at) / 1_000);
  }

  async function readIntake(): Promise<void> {
    const now = Date.now();
    deadLetters.reset();
    for (const door of ['sqs', 'sns', 'guardduty', 'alert']) deadLetters.set({ door }, 0);
    for (const [door, count] of Object.entries(await store.deadLetters.counts())) deadLetters.set({ door }, count);
    for (const gauge of [sources, failing, taken]) gauge.reset();
    for (const { kind, ok, name, because = '', since, taken: count } of await store.intake.sources()) {
      sources.inc({ kind, state: ok ? 'ok' : 'failing' });
      taken.inc({ kind }, count);
      if (!ok) failing.set({ source: name, reason: because }, (now - Date.parse(since)) / 1_000);
    }
  }

  return {
    answered(route, status, ms) {
      answers.inc({ route, status: String(status) });
      seconds.observe({ route }, ms / 1_000);
    },
    async read() {
      for (const [lane, counts] of Object.entries(await queue.counts())) {
        for (const [state, count] of Object.entries(counts)) jobs.set({ lane, state }, count);
      }
      await readSlack();
      await readIntake();
      await readAnchors();
      return { contentType: register.contentType, body: await register.metrics() };
    },
  };
}
