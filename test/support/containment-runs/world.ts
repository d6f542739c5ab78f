/** Everything outside of the flows in one run: people, Slack, AWS, the clock, the queue, and the store with the oracle at its door. */
import { TOTP } from 'otpauth';
import type { ContainmentAction } from '../../../src/contracts/action.ts';
import type { Approval } from '../../../src/contracts/approval.ts';
import type { AwsReach } from '../../../src/contracts/aws.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { isOver } from '../../../src/domain/approval.ts';
import { canonical } from '../../../src/domain/canonical.ts';
import type { WorkerDeps } from '../../../src/flows/deps.ts';
import { actions } from '../../../workflows/containment/index.ts';
import { silentLog } from '../databases.ts';
import { isolateForRuns } from './isolate.ts';
import { runsQueue } from './jobs.ts';
import { accountId, awsError, keyId, type ModelState, modelAws } from './model-aws.ts';
import {
  type CarriedOut,
  endIsTrue,
  enoughVotes,
  hashOf,
  indexOf,
  must,
  type Rules,
  trulyHolds,
  Violation,
} from './oracle.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';

export const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
export const channel = 'C0RUNS';
const isolate = isolateForRuns as unknown as ContainmentAction;
const actionsOfRuns = [...actions, isolate];

/** Who they truly are. Penny has two accounts; the guest and the stranger have no say. */
const humans: Readonly<Record<string, string | undefined>> = {
  UROSA: 'rosa',
  UOMAR: 'omar',
  UPENNY: 'penny',
  UPENNY2: 'penny',
};
export const voters = ['UROSA', 'UOMAR', 'UPENNY', 'UPENNY2', 'UGUEST', 'USTRANGER'] as const;
const listed = ['UROSA', 'UOMAR', 'UPENNY', 'UPENNY2', 'UGUEST'];

export interface Setting {
  readonly calm: boolean;
  readonly required: 1 | 2;
  readonly stepUp: boolean;
  readonly alone: boolean;
  readonly expiryMinutes: number;
  readonly maxLagMs: number;
}

const wishes: readonly (readonly [string, string])[] = [
  ['disable-access-key', keyId],
  ['deny-all', `arn:aws:iam::${accountId}:user/pipeline`],
  ['revoke-role-sessions', 'role/DevOps'],
  ['isolate-for-runs', 'i-0runs'],
  ['isolate-for-runs', 'i-0runs'],
];

export type World = ReturnType<typeof openWorld>;

export function openWorld(raw: Store, random: Random, setting: Setting, startsAt: number) {
  const time = { now: startsAt };
  const lag = random.fork();
  const truth = {
    frozen: false,
    mode: 'execute' as 'execute' | 'propose',
    /** Since when a person is deactivated. */
    gone: new Map<string, number>(),
    /** When somebody else changed something. */
    changes: [] as number[],
    sleeps: true,
  };
  const model = modelAws(
    () => time.now,
    () => (lag.chance(0.3) ? lag.next() * setting.maxLagMs : 0),
  );
  const queue = runsQueue(
    () => time.now,
    () => truth.sleeps && random.chance(0.02),
  );
  const seen = {
    states: new Set<string>(),
    ends: new Map<string, Approval>(),
    carriedOut: [] as CarriedOut[],
    planned: new Map<string, string>(),
    codes: new Set<string>(),
    reads: new Map<string, { others: number; at: number }>(),
    trace: [] as string[],
    /** The first one; a flow may swallow what is thrown in it. */
    violation: undefined as Violation | undefined,
  };
  const tell = (line: string) => seen.trace.push(`${new Date(time.now).toISOString().slice(11, 23)} ${line}`);
  const [wished, word] = random.pick(wishes);

  /** When something changed that is not of this approval, in order. */
  function othersOf(approvalId: string): readonly number[] {
    const byPlans = seen.carriedOut.filter((one) => one.approvalId !== approvalId).map(({ at }) => at);
    return [...truth.changes, ...byPlans].sort((a, b) => a - b);
  }

  async function judged<T>(judge: () => Promise<T>): Promise<T> {
    try {
      return await judge();
    } catch (error) {
      if (error instanceof Violation) seen.violation ??= error;
      throw error;
    }
  }

  function rulesFor({ plan, undoOf }: Approval): Rules {
    const isHalf = seen.carriedOut.some(({ approvalId }) => approvalId === undoOf);
    const early = plan.action === 'revoke-role-sessions' && plan.direction === 'undo' && isHalf;
    return {
      ...setting,
      required: early ? Math.max(2, setting.required) : setting.required,
      humanOf: (userId) => humans[userId],
      proved: (userId, hash) => seen.codes.has(`${userId} ${hash}`),
    };
  }

  async function beforeWrite(
    approvalId: string,
    call: Parameters<typeof model.carryOut>[0],
    begun: Begun,
  ): Promise<number> {
    const approval = await raw.approvals.get(approvalId);
    if (approval === undefined) throw new RangeError('a write without an approval');
    must(approval.state === 'applying', `a write in the state ${approval.state}`);
    must(hashOf(approval) === approval.planHash, 'the stored plan is not the one of the hash');
    must(seen.planned.get(approvalId) === approval.planHash, 'the plan is not the one that was proposed');
    must(truth.mode === 'execute' || begun.mode === 'execute', 'a write in the mode propose');
    enoughVotes(approval, rulesFor(approval));
    const index = indexOf(approval, call, seen.carriedOut, time.now);
    must(index >= 0, `${call.operation} is no call of the plan`);
    const step = approval.steps.find((one) => one.index === index);
    must(step?.state === 'intent' && canonical(step.call) === canonical(call), 'no intent was stored for it');
    const mine = seen.carriedOut.filter((one) => one.approvalId === approvalId);
    if (mine.length === 0) {
      must(time.now < Date.parse(approval.expiresAt) + 60_000, `a first write at ${time.now}, past the expiry`);
      must(!begun.frozen || approval.plan.direction === 'undo', 'a first write by a job that began under a freeze');
      for (const who of [approval.requester.userId, ...approval.votes.map(({ userId }) => userId)]) {
        must(time.now - (truth.gone.get(who) ?? time.now) < 6 * 60_000, `${who} had left long ago`);
      }
      const settled = begun.at - begun.changedAt > setting.maxLagMs;
      must(
        !settled || begun.bound === boundOfPlan(approval),
        'the target had changed before the job looked, and it is written',
      );
    }
    const before = mine.find((one) => one.index === index);
    must(
      before === undefined || before.others < othersOf(approvalId).length,
      `${call.operation} (call ${index}) is carried out twice`,
    );
    return index;
  }

  interface Begun {
    readonly at: number;
    readonly mode: string;
    readonly frozen: boolean;
    readonly bound: string;
    readonly changedAt: number;
  }

  /** `jobBegan`: as the world was when the job was taken up. */
  function reachFor(process: Process, own: Random, jobBegan: Pick<Begun, 'mode' | 'frozen'>): AwsReach {
    const reading = (approvalId?: string) =>
      model.reader((_operation, read) =>
        process.ask(own, undefined, async () => {
          if (own.chance(process.rates.readFails)) {
            throw own.pick([
              awsError('ThrottlingException', 400),
              awsError('TimeoutError'),
              awsError('ServiceFailure', 500),
            ]);
          }
          if (approvalId !== undefined)
            seen.reads.set(approvalId, { others: othersOf(approvalId).length, at: time.now });
          return read();
        }),
      );
    return {
      accounts: async () => [accountId],
      regions: async () => ['eu-west-1'],
      self: async () => [],
      reader: async () => reading(),
      async responder({ approvalId }) {
        const approval = await raw.approvals.get(approvalId);
        if (approval === undefined) throw new RangeError('no approval');
        const begun = {
          ...jobBegan,
          at: time.now,
          changedAt: othersOf(approvalId).at(-1) ?? Number.NEGATIVE_INFINITY,
          bound: boundOf(approval, model.state),
        };
        return {
          ...reading(approvalId),
          write: (call) =>
            process.ask(own, undefined, async () => {
              if (own.chance(process.rates.refused)) throw awsError('AccessDenied', 403);
              const fails = own.chance(process.rates.writeFails);
              const kind = own.pick(['throttled', 'not applied', 'lost', 'lost 500'] as const);
              if (fails && kind === 'throttled') throw awsError('ThrottlingException', 400);
              if (fails && kind === 'not applied') throw awsError('TimeoutError');
              const index = await judged(() => beforeWrite(approvalId, call, begun));
              const answer = model.carryOut(call);
              const { operation } = call;
              const others = othersOf(approvalId).length;
              seen.carriedOut.push({ approvalId, index, operation, answer, others, at: time.now });
              tell(`AWS carries out ${operation} (call ${index} of ${short(approvalId)})${fails ? `, ${kind}` : ''}`);
              if (fails) throw kind === 'lost' ? awsError('TimeoutError') : awsError('InternalFailure', 500);
              return { requestId: `request-${seen.carriedOut.length}`, answer };
            }),
        };
      },
    };
  }

  async function observe(approval: Approval): Promise<void> {
    const steps = approval.steps.map(({ state }) => state[0]).join('');
    const { plan, state, votes, sentAt, planHash } = approval;
    seen.states.add(
      [plan.action, plan.direction, state, votes.length, steps, sentAt !== undefined, digest(model.state)].join(' '),
    );
    if (!isOver(state) || seen.ends.has(approval.id)) return;
    seen.ends.set(approval.id, approval);
    tell(`${short(approval.id)} ends ${state}: ${approval.outcome ?? ''} (${planHash.slice(0, 6)})`);
    const first = approval.undoOf === undefined ? undefined : await raw.approvals.get(approval.undoOf);
    const read = seen.reads.get(approval.id);
    const others = othersOf(approval.id);
    const unseen =
      read === undefined || others.length > read.others || (others.at(-1) ?? -1) >= read.at - setting.maxLagMs;
    const holds = trulyHolds(approval, model.state, first);
    endIsTrue(approval, seen.carriedOut, { holds, unseen, meddled: others.length > 0 });
  }

  /** The real store; what is committed is looked at at once. */
  const store: Store = {
    ...raw,
    approvals: {
      ...raw.approvals,
      move: (id, decide) =>
        judged(async () => {
          const wasFrozen = truth.frozen;
          const done = await raw.approvals.move(id, decide);
          const isBegun = done.moved && done.approval.state === 'applying' && done.approval.steps.length === 0;
          const isApply = done.approval.plan.direction === 'apply';
          if (isBegun && isApply) must(!wasFrozen, 'the intent was stored under a freeze');
          if (done.moved) {
            tell(`${short(id)} ${done.approval.state} ${done.approval.steps.map(({ state }) => state).join()}`);
            await observe(done.approval);
          }
          return done;
        }),
      propose: (input) =>
        judged(async () => {
          const approval = await raw.approvals.propose(input);
          if (!seen.planned.has(approval.id)) {
            seen.planned.set(approval.id, approval.planHash);
            tell(`${short(approval.id)} proposed: ${approval.plan.action} ${approval.plan.direction}`);
          }
          await observe(approval);
          const same = ({ plan }: Approval) => canonical([plan.action, plan.direction, plan.target]);
          const twins = (await raw.approvals.open()).filter((one) => same(one) === same(approval));
          // In the mode propose an approved plan lies on its card, and holds nobody up.
          must(!setting.calm || twins.length <= 1, 'the same plan is on its way twice');
          must(twins.filter(({ state }) => state === 'proposed').length <= 1, 'the same plan waits twice');
          return approval;
        }),
    },
  };

  const settings = (mode: 'execute' | 'propose') => ({
    mode,
    channels: { default: channel },
    accounts: [{ id: accountId, name: 'runs', responderRole: `arn:aws:iam::${accountId}:role/ir/IrResponder` }],
    managementAccount: undefined,
    rules: { approvers: { users: listed, groups: [] }, responders: undefined, people: [] },
    approvals: {
      required: setting.required,
      expiryMinutes: setting.expiryMinutes,
      stepUp: setting.stepUp ? ['*'] : [],
    },
    policies: setting.alone ? [{ alone: true }] : [],
    protectedPatterns: [],
    noise: { report: { enabled: false }, digest: { enabled: false } },
  });

  const posted = new Map<string, string>();
  const chat = {
    async post({ deliveryId }: { deliveryId: string }) {
      const ts = `${posted.size + 1}.0`;
      posted.set(deliveryId, ts);
      return { ts, channel };
    },
    async findPosted({ deliveryId }: { deliveryId: string }) {
      const ts = posted.get(deliveryId);
      return ts === undefined ? undefined : { ts, channel };
    },
    update: async () => undefined,
    tell: async () => undefined,
    groupMembers: async () => [],
    channel: async (id: string) => ({ id, externallyShared: false }),
    async person(userId: string) {
      const email = `${humans[userId] ?? userId}@example.com`;
      const deleted = truth.gone.has(userId);
      return { userId, email, displayName: userId, deleted, bot: false, guest: userId === 'UGUEST', stranger: false };
    },
  };
  const nothing = {
    recordsOf: async () => [],
    coverage: () => ({ complete: true, sources: [], notLookedAt: [], badFiles: [] }),
    progress: () => ({}),
  };

  /** What the flows are given, in one process and one job. */
  function depsFor(process: Process, own: Random): WorkerDeps {
    const { mode } = truth;
    return {
      settings: settings(mode),
      store: {
        ...process.ports(own, 'database', store),
        // Only its beginning is asked of the database: the work in it may end as it likes.
        async turn(key: string, work: () => Promise<unknown>) {
          process.alive();
          return store.turn(key, work);
        },
      },
      queue: process.ports(own, 'queue', queue.port),
      chat: process.ports(own, 'slack', chat),
      clock: {
        now: () => new Date(time.now),
        async sleep(ms: number) {
          await process.ask(own, undefined, async () => {
            time.now += ms;
          });
        },
      },
      log: silentLog,
      actions: actionsOfRuns,
      reach: reachFor(process, own, { mode, frozen: truth.frozen }),
      openEvidence: async () => nothing,
    } as unknown as WorkerDeps;
  }

  async function setFrozen(frozen: boolean): Promise<void> {
    await raw.settings.setFrozen(frozen, 'UROSA', 'runs', new Date(time.now).toISOString());
    truth.frozen = frozen;
    tell(frozen ? 'freeze' : 'unfreeze');
  }

  return {
    time,
    truth,
    model,
    queue,
    seen,
    store,
    setting,
    tell,
    depsFor,
    setFrozen,
    wish: { action: wished, words: [word] },
    change(what: string, by: (state: ModelState) => void): void {
      truth.changes.push(time.now);
      model.change(by);
      tell(`somebody else: ${what}`);
    },
    code: () => new TOTP({ issuer: 'Firebreak', secret, period: 30 }).generate({ timestamp: time.now }),
  };
}

function short(id: string): string {
  return id.slice(-4);
}

/** The part of the model that the plan of this approval is bound to. An inline policy of that name voids no deny. */
function boundOf({ plan }: Approval, state: ModelState): string {
  if (plan.action === 'disable-access-key') return state.keys[keyId] ?? '';
  if (plan.action === 'isolate-for-runs') {
    return canonical(Object.entries(state.interfaces).map(([id, groups]) => ({ id, groups })));
  }
  return '';
}

function boundOfPlan({ plan }: Approval): string {
  const { status = '', interfaces } = plan.before;
  return plan.action === 'isolate-for-runs' ? canonical(interfaces) : String(status);
}

function digest(state: ModelState): string {
  const { keys, policies, interfaces, groups } = state;
  const names = Object.keys(groups).length;
  return JSON.stringify([Object.values(keys), Object.entries(policies), Object.values(interfaces), names])
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
    .replace(/sg-made\d+/g, 'made');
}
