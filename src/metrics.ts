/** Prometheus metrics: what came in, what waits, what failed. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Queue } from './contracts/job.ts';

export interface Metrics {
  /** `route` is the route's pattern, never what somebody typed. Time in ms. */
  answered(route: string, status: number, ms: number): void;
  read(): Promise<{ contentType: string; body: string }>;
}

export function openMetrics(queue: Queue): Metrics {
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
  return {
    answered(route, status, ms) {
      answers.inc({ route, status: String(status) });
      seconds.observe({ route }, ms / 1_000);
    },
    async read() {
      for (const [lane, counts] of Object.entries(await queue.counts())) {
        for (const [state, count] of Object.entries(counts)) jobs.set({ lane, state }, count);
      }
      return { contentType: register.contentType, body: await register.metrics() };
    },
  };
}
