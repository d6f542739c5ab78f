/** Runs the roles of one process until it is told to stop, then drains. */
import { flushCompileCache } from 'node:module';
import { actions } from '#actions';
import { commands } from '#commands';
import { investigations } from '#investigations';
import { systemClock } from './clock.ts';
import { type Config, loadConfig } from './config.ts';
import { unknownNames } from './config-problems.ts';
import { asError, SetupError } from './contracts/errors.ts';
import type { JobHandlers, lanes } from './contracts/job.ts';
import type { Log } from './contracts/log.ts';
import { openDetectors } from './detectors.ts';
import { acknowledge } from './flows/acknowledge.ts';
import { lookForAlive } from './flows/alive-look.ts';
import { keepPast } from './flows/compare-past.ts';
import { contain } from './flows/contain.ts';
import type { Deps, WebDeps, WorkerDeps } from './flows/deps.ts';
import { detect, watchLake } from './flows/detect.ts';
import { enrichCase } from './flows/enrich-case.ts';
import { escalate } from './flows/escalate.ts';
import { keepFed } from './flows/feed-lake.ts';
import { deliverCase, handleAlert, showAgain } from './flows/handle-alert.ts';
import { handleSubscription } from './flows/handle-subscription.ts';
import { investigate } from './flows/investigate.ts';
import { orDeadLetter } from './flows/keep-letter.ts';
import { markCase } from './flows/mark-case.ts';
import { notify } from './flows/notify.ts';
import { planContainment } from './flows/plan-containment.ts';
import { proveVote } from './flows/prove-vote.ts';
import { admitApproval, recordVote } from './flows/record-vote.ts';
import { reportNoise } from './flows/report-noise.ts';
import { showApproval } from './flows/show-approval.ts';
import { showDigest } from './flows/show-digest.ts';
import { planStrike, recordStrikeVote, showStrike } from './flows/strike.ts';
import { openSweep } from './flows/sweep.ts';
import { verifyFinding } from './flows/verify-finding.ts';
import { watch } from './flows/watch.ts';
import { openResponderWatch } from './flows/watch-responder.ts';
import { weighJewel } from './flows/weigh-jewel.ts';
import { startIntake } from './intake.ts';
import { openLog } from './log.ts';
import { openRuleShelf } from './rule-shelf.ts';
import { settingsOf } from './settings-of.ts';
import type { Role } from './store/embedded-postgres.ts';
import { startWeb } from './web.ts';
import { alertOfFound } from './webhooks/guardduty.ts';
import {
  connectAccounts,
  connectAddresses,
  connectChat,
  connectConfirmer,
  connectFindings,
  connectLakeWatch,
  connectPager,
  connectPictures,
  connectQueue,
  connectReach,
  connectStore,
  plannedEvidence,
} from './wire.ts';
import { anchoring } from './wire-anchor.ts';
import { lakeFeeds } from './wire-lake.ts';
import { otherSources } from './wire-other.ts';
import { connectPast } from './wire-past.ts';

type Stop = () => Promise<void>;

/** Jobs that are running get this long to end; what is cut off runs again after the restart. */
const drainMs = 20_000;
/** Ends by itself before this unless something is left over. */
const leftOverMs = 1_000;
const sweepEveryMs = 5_000;
const detectEveryMs = 1_000;
const lakeEveryMs = 30_000;

/** Runs `firebreak serve`. Resolves with the exit code after SIGTERM or SIGINT. Throws SetupError for what the operator must mend. */
export async function serve(roles: readonly Role[]): Promise<number> {
  const began = performance.now();
  // What was compiled is kept at the end of a process, and one that is killed has none: the start after it would be as slow as the first.
  flushCompileCache();
  const config = loadConfig({ kind: 'serve', roles });
  const unknown = unknownNames(config, { actions, commands, investigations });
  if (unknown.length > 0) throw new SetupError(unknown);
  const log = openLog(config.logLevel, { role: roles.length > 1 ? 'all' : roles[0] });
  for (const warning of config.warnings) log.warn({}, warning);
  const stopped = stopSignal(log);
  const stops: Stop[] = [];
  try {
    const { port } = await start(config, roles, stops, log);
    log.info({ mode: config.mode, port, ms: Math.round(performance.now() - began) }, 'firebreak is ready');
    await stopped;
  } finally {
    // Last started, first stopped: doors before workers, workers before the store.
    for (const stop of stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        log.error({ error: asError(error) }, 'a part did not stop cleanly');
      }
    }
    // A worker of the queue that waits for a server that is away never ends, and its timers would keep the process for good.
    setTimeout(() => process.exit(), leftOverMs).unref();
  }
  log.info({}, 'firebreak has stopped');
  return 0;
}

async function start(
  config: Config,
  roles: readonly Role[],
  stops: Stop[],
  log: Log,
): Promise<{ port: number | undefined }> {
  const { store, connectionString, alone, close } = await connectStore(config, roles, log);
  stops.push(close);
  const queue = await connectQueue(config, connectionString, log);
  stops.push(() => queue.close(drainMs));
  const deps: Deps = { settings: settingsOf(config), store, queue, clock: systemClock, log };

  if (roles.includes('executor')) {
    const executor = { ...deps, actions, reach: connectReach(config, log) };
    await queue.work(
      'executor',
      {
        'containment.run': (payload, ctx) => contain(payload, ctx, executor),
        'approval.prove': (payload) => proveVote(payload, executor),
      },
      { concurrency: 2, alone },
    );
  }
  if (!roles.includes('web') && !roles.includes('worker')) return { port: undefined };
  const chat = await connectChat(config, log);
  const ruleShelf = openRuleShelf(config, store);
  const detectors = openDetectors(config, ruleShelf, log);
  // To read all rules takes some tenths of a second in which nobody gets an answer: done before anybody can ask.
  await detectors.current().catch((error: unknown) => {
    log.warn({ error: asError(error) }, 'the rules could not be read yet');
  });
  if (roles.includes('worker')) {
    const reach = connectReach(config, log);
    const pictures = connectPictures(log);
    stops.push(() => pictures.close());
    const addresses = await connectAddresses(config, log);
    const accounts = await connectAccounts(config, reach, log);
    const openEvidence = plannedEvidence(config, reach, store.reserveSlot, log, store.athena);
    const openOther = otherSources(config, reach, log, store.athena);
    const units = { actions, detectors, investigations, confirmer: connectConfirmer };
    const worker: WorkerDeps = {
      ...{ ...deps, ...units, chat, reach, openEvidence, openOther, pictures, addresses, accounts, ruleShelf },
      findings: connectFindings(reach),
      pager: connectPager(config, log),
    };
    await startWorker(worker, alone, stops);
    stops.push(await startIntake(config, worker));
    for (const feed of await lakeFeeds(config, log)) stops.push(running((signal) => keepFed(feed, signal)));
    const anchors = await anchoring(config, worker);
    if (anchors) stops.push(anchors.close, every(sweepEveryMs, 'the anchor of the audit', anchors.run, log));
    const lake = connectLakeWatch(config, log);
    const past = connectPast(config, log);
    const looking = { ...deps, detectors, past };
    stops.push(every(sweepEveryMs, 'the look at responder sessions', openResponderWatch(worker), log));
    stops.push(every(detectEveryMs, 'detection', () => detect(looking), log));
    stops.push(
      every(lakeEveryMs, 'the look into the lake', () => store.turn('lake-watch', () => watchLake(lake, looking)), log),
      running((signal) => keepPast(past, looking, signal)),
    );
  }
  if (!roles.includes('web')) return { port: undefined };
  const web: WebDeps = { ...deps, chat, commands, actions, ruleShelf, detectors };
  const { port, stop } = await startWeb(config, web);
  stops.push(stop);
  return { port };
}

async function startWorker(deps: WorkerDeps, alone: boolean, stops: Stop[]): Promise<void> {
  const { queue } = deps;
  await Promise.all([
    queue.work(
      'alerts',
      {
        'alert.received': (payload, ctx) => orDeadLetter(payload.alertId, ctx, () => handleAlert(payload, deps), deps),
      },
      { concurrency: 4, alone },
    ),
    queue.work('urgent', urgentHandlers(deps), { concurrency: 4, alone }),
    queue.work(
      'intake',
      {
        'alert.verify': (payload, ctx) =>
          verifyFinding(payload, ctx, { ...deps, alertOfFound, showAgain: (alert) => showAgain(alert, deps) }),
        'case.weigh': (payload, ctx) => weighJewel(payload, ctx, deps),
        'sns.subscription': (payload, ctx) => handleSubscription(payload, ctx, deps),
      },
      { concurrency: 4, alone },
    ),
    queue.work(
      'investigations',
      { 'investigation.run': (payload, ctx) => investigate(payload, ctx, deps) },
      { concurrency: 3, alone },
    ),
    queue.work(
      'enrichment',
      { 'case.enrich': (payload, ctx) => enrichCase(payload, ctx, deps) },
      { concurrency: 2, alone },
    ),
    queue.work(
      'plans',
      {
        'containment.plan': (payload, ctx) => planContainment(payload, ctx, deps),
        'containment.watch': (payload, ctx) => watch(payload, ctx, deps),
        'containment.alive': (payload, ctx) => lookForAlive(payload, ctx, deps),
        'strike.plan': (payload, ctx) => planStrike(payload, ctx, deps),
      },
      { concurrency: 2, alone },
    ),
    queue.work(
      'approvals',
      {
        'approval.vote': (payload, ctx) => recordVote(payload, ctx, deps),
        'approval.admit': (payload) => admitApproval(payload, deps),
        'strike.vote': (payload, ctx) => recordStrikeVote(payload, ctx, deps),
      },
      { concurrency: 4, alone },
    ),
    queue.work(
      'cards',
      {
        'approval.changed': (payload) => showApproval(payload, deps),
        'strike.changed': (payload) => showStrike(payload, deps),
      },
      { concurrency: 4, alone },
    ),
    queue.work('notices', { 'approval.notify': (payload) => notify(payload, deps) }, { concurrency: 1, alone }),
  ]);
  stops.push(every(sweepEveryMs, 'the sweep', openSweep(deps), deps.log));
}

function urgentHandlers(deps: WorkerDeps): JobHandlers<(typeof lanes)['urgent'][number]> {
  return {
    'alert.urgent': (payload, ctx) => orDeadLetter(payload.alertId, ctx, () => handleAlert(payload, deps), deps),
    'alert.acknowledged': (payload, ctx) => acknowledge(payload, ctx, deps),
    'case.mark': (payload, ctx) => markCase(payload, ctx, deps),
    'case.show': ({ caseId }) => deliverCase(caseId, deps),
    'digest.show': (payload) => showDigest(payload, deps),
    'case.escalate': (payload) => escalate(payload, deps),
    'noise.report': (payload) => reportNoise(payload, deps),
  };
}

/** Runs a task again and again, never twice at once; the returned function ends it and waits for a running one. */
function every(ms: number, what: string, task: () => Promise<void>, log: Log): Stop {
  const ended = new AbortController();
  const loop = (async () => {
    while (!ended.signal.aborted) {
      try {
        await task();
      } catch (error) {
        log.warn({ what, error: asError(error) }, 'a task failed, it runs again');
      }
      await systemClock.sleep(ms, ended.signal).catch((error: unknown) => {
        if (!ended.signal.aborted) throw error;
      });
    }
  })();
  return async () => {
    ended.abort();
    await loop;
  };
}

/** Starts a task that runs until it is aborted; the returned function aborts it and waits. */
function running(task: (signal: AbortSignal) => Promise<void>): Stop {
  const ended = new AbortController();
  const ends = task(ended.signal);
  return async () => {
    ended.abort();
    await ends;
  };
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        log.info({ signal }, 'stopping: draining');
        resolve();
      });
    }
  });
}
