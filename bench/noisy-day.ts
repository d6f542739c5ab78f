/**
 * A synthetic noisy day through the real store: how many messages a channel gets per 1,000 alerts, and how many alerts a second
 * are decided, as a ratio to BullMQ's bare add and process on the same PostgreSQL. The day's clock is made, the work is real.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert } from '../src/contracts/alert.ts';
import type { Log } from '../src/contracts/log.ts';
import { noEscalation } from '../src/domain/escalation.ts';
import { defaultNoise, noJewels } from '../src/domain/noise.ts';
import { admitAlert } from '../src/flows/admit-alert.ts';
import { openQueue } from '../src/queue/queue.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { openStore } from '../src/store/store.ts';

const total = Number(process.argv[2] ?? 4_000);
const dayMs = 24 * 60 * 60 * 1_000;
const log: Log = { debug() {}, info() {}, warn() {}, error() {} };
const dataDir = mkdtempSync(join(tmpdir(), 'firebreak-noisy-day-'));
const server = await openEmbeddedPostgres({ dataDir, roles: [], log });
const store = await openStore({ connectionString: server.connectionString, log, applicationName: 'bench' });
const queue = await openQueue({ backend: { kind: 'postgres', connectionString: server.connectionString }, log });

/** The same numbers every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
const random = numbers(42);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next().value * list.length)] as T;

const kinds = [
  'Recon:EC2/PortProbeUnprotectedPort',
  'UnauthorizedAccess:EC2/SSHBruteForce',
  'Policy:S3/BucketAnonymousAccessGranted',
];
const rare = ['Persistence:IAMUser/AnomalousBehavior', 'Exfiltration:S3/AnomalousBehavior'];
const day = Date.parse('2026-11-20T00:00:00Z');

/**
 * 60 % repeats of 40 known findings, 20 % the same activity seen in another Region or by another type, 15 % port scans that come
 * in three storms of a few minutes, 5 % rare things.
 */
function alertAt(index: number): { at: number; alert: Alert } {
  const dice = random.next().value;
  const storm = dice >= 0.8 && dice < 0.95;
  const at = storm
    ? day + pick([3, 11, 19]) * 3_600_000 + random.next().value * 5 * 60_000
    : day + (index / total) * dayMs;
  const account = `${111122223300 + Math.floor(random.next().value * 8)}`;
  const host = Math.floor(random.next().value * 40);
  const known = dice < 0.6;
  const type = known ? (kinds[host % 3] ?? '') : dice < 0.8 ? pick(kinds) : storm ? (kinds[0] ?? '') : pick(rare);
  const id = known ? `known-${host}` : `own-${index}`;
  const when = new Date(at).toISOString();
  return {
    at,
    alert: {
      source: 'guardduty',
      dedupeKey: id,
      updatedAt: when,
      count: known ? index : 1,
      findingId: id,
      type,
      severity: storm ? 2 : known ? ([2, 2, 5, 5, 8][host % 5] ?? 2) : pick([2, 2, 5, 5, 8]),
      title: '',
      description: '',
      partition: 'aws',
      accountId: known ? `${111122223300 + (host % 8)}` : account,
      region: pick(['us-east-1', 'eu-west-1', 'eu-central-1']),
      resource: { type: 'Instance', id: `i-${String(host).padStart(17, '0')}` },
      resourceIds: [`i-${String(host).padStart(17, '0')}`],
      actor: {},
      remote: [{ ip: storm ? '198.51.100.7' : `203.0.113.${host}` }],
      lastSeen: when,
      sample: false,
      archived: false,
      notes: [],
    },
  };
}

const alerts = Array.from({ length: total }, (_, index) => alertAt(index)).sort((a, b) => a.at - b.at);
const settings = {
  channels: { default: 'C1' },
  accounts: [],
  noise: defaultNoise,
  crownJewels: noJewels,
  escalation: noEscalation,
} as unknown as Parameters<typeof admitAlert>[2]['settings'];
const silent = { ...queue, add: () => Promise.resolve() };
const accounts = { known: () => [], find: () => Promise.resolve({ account: undefined, missing: [] }) };
const seen = { card: 0, digest: 0, snoozed: 0, merged: 0 };
const cases = new Set<string>();
const began = performance.now();
for (const [index, { at, alert }] of alerts.entries()) {
  const clock = { now: () => new Date(at), sleep: () => Promise.resolve() };
  const { alertId } = await store.alerts.receive({
    deliveryKey: `d${index}`,
    alert,
    raw: {},
    at: new Date(at).toISOString(),
  });
  const { case: found, admission } = await admitAlert(alertId, alert, {
    store,
    queue: silent,
    clock,
    settings,
    accounts,
  });
  if (!cases.has(found.id)) seen[admission] += 1;
  cases.add(found.id);
}
const perSecond = total / ((performance.now() - began) / 1_000);
let own = 0;
for (const caseId of cases) {
  const { entries } = await store.noise.undelivered(caseId);
  own += entries.filter(({ ownChannel }) => ownChannel !== undefined).length;
}
const digests = (await store.noise.digestsBehind()).length;

const jobs = Math.min(total, 1_000);
let done = 0;
const startedAt = performance.now();
const finished = new Promise<void>((resolve) => {
  void queue.work(
    'investigations',
    { 'investigation.run': async () => void (++done === jobs && resolve()) },
    { concurrency: 1 },
  );
});
for (let index = 0; index < jobs; index += 1) {
  await queue.add('investigation.run', { investigationId: String(index) }, { id: `bench-${index}` });
}
await finished;
const barePerSecond = jobs / ((performance.now() - startedAt) / 1_000);

const per = (count: number) => ((count / total) * 1_000).toFixed(1);
console.log(`${total} alerts: ${cases.size} cases`);
console.log(`per 1,000 alerts: ${per(seen.card)} cards, ${per(own)} messages of their own, ${per(digests)} digests`);
console.log(`${seen.digest} lines of digests; without any of this: 1,000 messages per 1,000 alerts`);
console.log(
  `stored and decided: ${perSecond.toFixed(0)} alerts/s one after the other, ${(perSecond / barePerSecond).toFixed(2)} times BullMQ's bare add and process (${barePerSecond.toFixed(0)} jobs/s)`,
);
await queue.close(1_000);
await store.close();
await server.release();
rmSync(dataDir, { recursive: true, force: true });
