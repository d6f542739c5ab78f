/** One run: people, an attacker, crashes and time at random from one seed; then quiet, in which everything must come to an end. */

import { UpstreamError, UserError } from '../../../src/contracts/errors.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { isUndoable } from '../../../src/domain/approval.ts';
import { contain } from '../../../src/flows/contain.ts';
import { planContainment } from '../../../src/flows/plan-containment.ts';
import { proveVote } from '../../../src/flows/prove-vote.ts';
import { admitApproval, recordVote } from '../../../src/flows/record-vote.ts';
import { showApproval } from '../../../src/flows/show-approval.ts';
import { openSweep } from '../../../src/flows/sweep.ts';
import { watch } from '../../../src/flows/watch.ts';
import type { RunsJob } from './jobs.ts';
import { keyId } from './model-aws.ts';
import { must, Violation } from './oracle.ts';
import { Crash, Process, type Rates } from './process.ts';
import { type Random, randomOf } from './random.ts';
import { channel, openWorld, type Setting, voters, type World } from './world.ts';

export interface RunResult {
  readonly seed: number;
  readonly calm: boolean;
  readonly action: string;
  readonly violation: string | undefined;
  readonly trace: readonly string[];
  readonly states: ReadonlySet<string>;
  /** How the approvals ended. */
  readonly ends: readonly string[];
  readonly writes: number;
  readonly crashes: number;
}

const quiet: Rates = { crash: 0, outage: 0, event: 0, readFails: 0, writeFails: 0, refused: 0 };
/** The executor dies more often than the rest: its crashes are what matters most. */
const executorDies = 3;
const executorJobs = ['containment.run', 'approval.prove'];

/** `startsAt`, epoch ms, must be days after that of any run before on the same store. */
export async function runOnce(store: Store, seed: number, startsAt: number): Promise<RunResult> {
  const random = randomOf(seed);
  const calm = random.chance(0.35);
  const setting: Setting = {
    calm,
    required: random.chance(0.3) ? 2 : 1,
    stepUp: random.chance(0.3),
    alone: random.chance(0.2),
    expiryMinutes: calm ? 240 : random.pick([5, 15, 60]),
    maxLagMs: random.pick([0, 0, 500, 2_000]),
  };
  const world = openWorld(store, random, setting, startsAt);
  const actor = new Actor(world, store, random, calm ? calmRates(random) : roughRates(random));
  let violation: string | undefined;
  try {
    await actor.rough();
    await actor.toTheEnd();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  } finally {
    if (world.truth.frozen) await world.setFrozen(false);
  }
  return {
    seed,
    calm,
    action: world.wish.action,
    violation,
    trace: world.seen.trace,
    states: world.seen.states,
    ends: [...world.seen.ends.values()].map(({ plan, state }) => `${plan.direction} ${state}`),
    writes: world.seen.carriedOut.length,
    crashes: actor.crashes,
  };
}

function calmRates(random: Random): Rates {
  const crash = random.pick([0, 0.004, 0.012]);
  return {
    ...quiet,
    crash,
    outage: random.pick([0, 0.01]),
    readFails: random.pick([0, 0.05]),
    writeFails: random.pick([0, 0.3]),
  };
}

function roughRates(random: Random): Rates {
  return {
    crash: random.pick([0, 0.002, 0.008]),
    outage: random.pick([0, 0.005]),
    event: random.pick([0, 0.003, 0.01]),
    readFails: random.pick([0, 0.1]),
    writeFails: random.pick([0, 0.4]),
    refused: random.pick([0, 0, 0.25]),
  };
}

class Actor {
  crashes = 0;
  readonly #world: World;
  readonly #raw: Store;
  readonly #random: Random;
  #rates: Rates;
  #calmed = false;
  #worker: Process;
  #executor: Process;
  #sweep: (() => Promise<void>) | undefined;
  constructor(world: World, raw: Store, random: Random, rates: Rates) {
    this.#world = world;
    this.#raw = raw;
    this.#random = random;
    this.#rates = rates;
    this.#worker = this.#process();
    this.#executor = this.#process(executorDies);
  }

  #process(dies = 1): Process {
    const rates = dies === 1 ? this.#rates : { ...this.#rates, crash: this.#rates.crash * dies };
    return new Process(rates, (own) => this.#elsewhere(own));
  }

  async rough(): Promise<void> {
    const { calm } = this.#world.setting;
    await this.#ask();
    if (this.#random.chance(0.3)) await Promise.all([this.#ask(), this.#ask()]);
    for (let turn = 0; turn < (calm ? 40 : 60); turn += 1) {
      const dice = this.#random.next();
      if (dice < 0.55) await this.#work();
      else if (dice < 0.65) await this.#sweepOnce();
      else if (dice < 0.75) this.#world.time.now += this.#random.pick([500, 5_000, 30_000]);
      else await this.#people();
      if (!calm && this.#random.chance(0.05)) await this.#elsewhere(this.#random);
    }
  }

  /** No more faults: everything ends, or is not as it should be. */
  async toTheEnd(): Promise<void> {
    const { truth, time, queue, seen, setting } = this.#world;
    this.#rates = quiet;
    this.#calmed = true;
    truth.sleeps = false;
    truth.mode = 'execute';
    truth.gone.clear();
    if (truth.frozen) await this.#world.setFrozen(false);
    this.#restart();
    this.#calmed = false;
    if (setting.calm) await this.#allApprove();
    for (let turn = 0; ; turn += 1) {
      must(turn < 300, 'it does not come to an end');
      time.now += turn < 100 ? 15_000 : 120_000;
      await this.#sweepOnce();
      for (const job of queue.ready().filter(({ name }) => name !== 'containment.watch' || turn < 3))
        await this.#run(job);
      if (await this.#isOver()) break;
    }
    for (const approval of [...seen.ends.values()]) {
      must((await this.#raw.approvals.get(approval.id))?.state === approval.state, 'an end was not the end');
    }
    if (setting.calm) this.#mustHaveWorked();
  }

  async #isOver(): Promise<boolean> {
    const later = new Date(this.#world.time.now + 1_000).toISOString();
    const { requests, votes } = await this.#raw.approvals.unhandled(later, 10);
    const open = await this.#raw.approvals.inState(['proposed', 'approved', 'applying'], 10);
    const dark = await this.#raw.approvals.notShown(10);
    return requests.length + votes.length + open.length + dark.length === 0;
  }

  /** Where nobody meddled, crashes and lost answers alone must not keep a wish from being carried out, once. */
  #mustHaveWorked(): void {
    const { seen, model } = this.#world;
    const ends = [...seen.ends.values()];
    // Where Slack did not tell who asks, the wish is refused, and told to be.
    if (seen.planned.size === 0) return;
    const bad = ends.filter(({ state }) => state === 'failed' || state === 'partial');
    must(
      bad.length === 0,
      `nobody meddled, and it ended: ${bad.map(({ state, outcome }) => `${state} ${outcome}`).join('; ')}`,
    );
    must(
      ends.some(({ state }) => state === 'verified'),
      `nobody meddled, and it ended ${ends.map(({ state }) => state).join()}`,
    );
    const [last] = ends.filter(({ state }) => state === 'verified').slice(-1);
    if (last?.plan.direction === 'undo') {
      must(
        model.state.keys[keyId] === 'Active' && Object.keys(model.state.policies).length === 0,
        'undone, and not as before',
      );
      must(Object.keys(model.state.groups).length === 2, 'undone, and a group of ours is left');
    }
    const watched = ends.filter((one) => one.state === 'verified' && one.watched?.holds === false);
    must(watched.length === 0, 'it holds, and the watch says that it does not');
  }

  async #people(): Promise<void> {
    const { calm } = this.#world.setting;
    if (!calm && this.#random.chance(0.1)) return this.#ask();
    const open = await this.#raw.approvals.inState(['proposed'], 10);
    const verified = [...this.#world.seen.ends.values()].filter((one) => isUndoable(one));
    if (open.length === 0) {
      const { id } = verified.at(-1) ?? {};
      if (id !== undefined && this.#random.chance(0.3)) await this.#ask(id);
      return;
    }
    const { id } = this.#random.pick(open);
    const times = this.#random.pick([1, 1, 2, 3]);
    const votes = Array.from({ length: times }, () => this.#vote(id, this.#random.fork()));
    await Promise.all(votes);
  }

  async #vote(approvalId: string, own: Random): Promise<void> {
    const { calm } = this.#world.setting;
    const userId = calm ? own.pick(['UOMAR', 'UPENNY'] as const) : own.pick([...voters, 'UOMAR', 'UPENNY'] as const);
    const vote = calm || own.chance(0.93) ? 'approve' : own.pick(['reject', 'withdraw'] as const);
    await this.#cast(approvalId, userId, vote, calm || own.chance(0.8), own.chance(0.15) ? 2 : 1);
  }

  async #cast(
    approvalId: string,
    userId: string,
    vote: 'approve' | 'reject' | 'withdraw',
    right: boolean,
    times: number,
  ) {
    const { setting, queue, seen, time, tell } = this.#world;
    const approval = await this.#raw.approvals.get(approvalId);
    const needsCode = vote === 'approve' && (setting.stepUp || (setting.alone && userId === 'UROSA'));
    const at = new Date(time.now).toISOString();
    for (let i = 0; i < times; i += 1) {
      const code = needsCode ? (right ? this.#world.code() : '000000') : undefined;
      if (code !== undefined && right) seen.codes.add(`${userId} ${approval?.planHash}`);
      const voteId = await this.#raw.approvals.saveVote({ approvalId, userId, vote, channel, at }, code);
      tell(`${userId} votes ${vote}${needsCode ? (right ? ' with a code' : ' with a wrong code') : ''}`);
      // A process may die between storing and queueing: then only the sweep knows.
      if (this.#random.chance(0.1)) continue;
      const name = code === undefined ? 'approval.vote' : 'approval.prove';
      await queue.port.add(name, { voteId }, { id: `${code === undefined ? 'vote' : 'prove'}-${voteId}` });
    }
  }

  async #allApprove(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      this.#world.time.now += 61_000;
      await this.#sweepOnce();
      for (const job of this.#world.queue.ready()) await this.#run(job);
      for (const { id } of await this.#raw.approvals.inState(['proposed'], 10)) {
        await this.#cast(id, 'UOMAR', 'approve', true, 1);
        await this.#cast(id, 'UPENNY', 'approve', true, 1);
      }
      // A code lives for a minute: it is looked at before time goes on.
      for (const job of this.#world.queue.ready()) await this.#run(job);
    }
  }

  async #ask(undoOf?: string): Promise<void> {
    const { wish, time, queue, tell } = this.#world;
    const at = new Date(time.now).toISOString();
    const request = { ...wish, userId: 'UROSA', channel, at, ...(undoOf !== undefined && { undoOf }) };
    const requestId = await this.#raw.approvals.saveRequest(request);
    tell(`Rosa asks for ${undoOf === undefined ? '' : 'undo of '}${wish.action}`);
    if (this.#random.chance(0.95)) await queue.port.add('containment.plan', { requestId }, { id: `plan-${requestId}` });
  }

  /** The attacker, the freeze, people who leave, the config. */
  async #elsewhere(own: Random): Promise<void> {
    const { truth, time, tell } = this.#world;
    const dice = own.next();
    if (dice < 0.5) return this.#attack(own);
    if (dice < 0.7) return this.#world.setFrozen(!truth.frozen);
    if (dice < 0.85) {
      const who = own.pick(['UOMAR', 'UPENNY', 'UROSA']);
      if (truth.gone.has(who)) truth.gone.delete(who);
      else truth.gone.set(who, time.now);
      tell(`${who} ${truth.gone.has(who) ? 'is deactivated' : 'is back'}`);
      return;
    }
    tell('time passes');
    if (dice >= 0.93) return;
    // The mode is in the config: it changes with a restart.
    truth.mode = truth.mode === 'execute' ? 'propose' : 'execute';
    tell(`the mode becomes ${truth.mode}`);
    this.#worker.isDead = true;
    this.#executor.isDead = true;
  }

  #attack(own: Random): void {
    const { wish } = this.#world;
    const helps = own.chance(0.3);
    this.#world.change(helps ? 'does the same' : 'meddles', (state) => {
      if (wish.action === 'disable-access-key') state.keys[keyId] = helps ? 'Inactive' : 'Active';
      else if (wish.action === 'isolate-for-runs') {
        if (helps) state.groups[`sg-new${Object.keys(state.groups).length}`] = 'theirs';
        else state.interfaces[own.pick(['eni-1', 'eni-2', 'eni-3'])] = [own.pick(['sg-0first', 'sg-1second'])];
      } else {
        const [holder, name] =
          wish.action === 'deny-all'
            ? ['user/pipeline', 'FirebreakDenyAll']
            : ['role/DevOps', 'AWSRevokeOlderSessions'];
        if (helps) state.policies[`${holder} ${name}`] = '{"Version":"2012-10-17","Statement":[]}';
        else delete state.policies[`${holder} ${name}`];
      }
    });
  }

  #restart(): void {
    if (this.#worker.isDead || this.#calmed) {
      this.#worker = this.#process();
      this.#sweep = undefined;
    }
    if (this.#executor.isDead || this.#calmed) this.#executor = this.#process(executorDies);
  }

  async #work(): Promise<void> {
    const ready = [...this.#world.queue.ready()];
    if (ready.length === 0) {
      this.#world.time.now += 1_000;
      return;
    }
    const chosen = Array.from({ length: this.#random.pick([1, 1, 2, 3]) }, () => this.#random.pick(ready));
    // The same job twice at once: a stalled one that was taken over while the first still runs.
    const twice = this.#random.chance(0.1);
    const jobs = twice ? chosen : [...new Set(chosen)];
    await Promise.all(jobs.map((job) => this.#run(job)));
  }

  async #sweepOnce(): Promise<void> {
    this.#restart();
    const own = this.#random.fork();
    this.#sweep ??= openSweep({ ...this.#world.depsFor(this.#worker, own) });
    await this.#guarded(this.#sweep).catch((error: unknown) => {
      if (error instanceof Crash) this.crashes += 1;
      else if (!(error instanceof UpstreamError)) throw error;
    });
  }

  async #run(job: RunsJob): Promise<void> {
    this.#restart();
    const { queue, depsFor, tell } = this.#world;
    const process = executorJobs.includes(job.name) ? this.#executor : this.#worker;
    const deps = depsFor(process, this.#random.fork());
    const { signal } = new AbortController();
    const ctx = { signal, attempt: job.attempt, last: job.attempt >= 12 };
    const payload = job.payload as never;
    job.running = true;
    const handlers: Readonly<Record<string, () => Promise<void>>> = {
      'containment.plan': () => planContainment(payload, ctx, deps),
      'containment.watch': () => watch(payload, ctx, deps),
      'containment.run': () => contain(payload, ctx, deps),
      'approval.prove': () => proveVote(payload, deps),
      'approval.vote': () => recordVote(payload, ctx, deps),
      'approval.admit': () => admitApproval(payload, deps),
      'approval.changed': () => showApproval(payload, deps),
    };
    const handler = handlers[job.name];
    if (handler === undefined) throw new RangeError(`no flow for ${job.name}`);
    try {
      await this.#guarded(handler);
      queue.settle(job, 'done');
    } catch (error) {
      if (error instanceof Violation) throw error;
      const crashed = process.isDead;
      if (crashed) this.crashes += 1;
      const hopeless = error instanceof UserError || (error instanceof UpstreamError && !error.retryable);
      const known = error instanceof UpstreamError || error instanceof UserError || hasMetadata(error);
      if (!crashed && !known) throw error;
      tell(`${job.name} ${crashed ? 'died' : `failed: ${String(error)}`}`);
      queue.settle(job, crashed ? 'crashed' : hopeless ? 'hopeless' : 'failed');
    }
  }

  /** A violation ends the run, whatever the flow makes of it. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    const { seen } = this.#world;
    try {
      await work();
    } catch (error) {
      throw seen.violation ?? error;
    }
    if (seen.violation !== undefined) throw seen.violation;
  }
}

function hasMetadata(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$metadata' in error;
}
