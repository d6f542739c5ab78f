/** What every containment action must hold, walked over the list. Each is run against real wire protocols, under the documented roles. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planReads, reachReads } from '../../scripts/reference/permissions.ts';
import { systemClock } from '../../src/clock.ts';
import type { ContainmentAction } from '../../src/contracts/action.ts';
import type { Applied, Plan, Step } from '../../src/contracts/approval.ts';
import type { ApiCall, AwsResponder } from '../../src/contracts/aws.ts';
import { doneCalls, fill } from '../../src/domain/blanks.ts';
import { bindsOf, planHash, sameState } from '../../src/domain/plan.ts';
import { protectedBecause } from '../../src/domain/protected.ts';
import { actionsOf } from '../../src/domain/session-policy.ts';
import { wordsOf } from '../../src/domain/words.ts';
import { completed } from '../../src/flows/complete-target.ts';
import { inspectTarget, sessionPolicyOf } from '../../src/flows/inspect-target.ts';
import { actions } from '../../workflows/containment/index.ts';
import { camelCase, exportsOf, oneSentence, sentences, unitsIn } from '../fakes/folder.ts';
import { openWatchedAccount, type WatchedAccount } from '../fakes/watched-account.ts';

type Target = Plan['target'];
type Before = Plan['before'];

/** AWS takes a session policy of at most this many characters. */
const longestPolicy = 2_048;
const partitions = ['aws', 'aws-cn', 'aws-us-gov'];
// The last two are reads by AWS's own classification: a report is made, a question is answered, nothing is changed.
const reading =
  /^([a-z0-9-]+:(Get|List|Describe|Lookup)[A-Za-z]+|iam:GenerateServiceLastAccessedDetails|iam:SimulatePrincipalPolicy)$/;
/** What the flow reads the logs with where an action learns from them (src/flows/complete-target.ts). */
const looking: readonly string[] = [...reachReads, ...planReads];
const { signal } = new AbortController();
const settings = { forensics: { bucket: 'forensic-images', memoryTool: '/opt/forensics/avml' } };
/** Rights that AWS asks for with other calls: nothing is called by their name. */
const askedWithOthers = ['ec2:CreateTags', 'iam:PassRole'];

describe('the list of containment actions', () => {
  it('is what the folder holds', () => {
    expect(actions.map((action) => action.name).sort()).toEqual(unitsIn('workflows/containment'));
  });
});

const tried = actions.flatMap((action) => action.examples.map((example) => [action.name, example, action] as const));

describe.each(tried)('the action %s on %s', (name, example, action) => {
  let account: WatchedAccount;
  let target: Target;
  beforeEach(async () => {
    account = await openWatchedAccount();
    const aws = await account.reach.reader(account.accountId);
    const parsed = action.parse(wordsOf(example)) as Target;
    const before = await inspectTarget(action, parsed, { aws, reach: account.reach, settings, signal });
    target = await completed(action, parsed, before, aws, signal, { ...account, clock: systemClock });
  });
  afterEach(() => account?.close());

  async function inspect(within?: { responder?: AwsResponder; planned: Before }): Promise<Before> {
    const aws = within?.responder ?? (await account.reach.reader(account.accountId));
    return inspectTarget(action, target, { aws, reach: account.reach, settings, signal, planned: within?.planned });
  }

  /** The session of a plan of these calls, as the flows open it. */
  function respond(before: Before, calls: readonly ApiCall[], restores?: Applied): Promise<AwsResponder> {
    const plan = planOf(action, target, before, account.accountId);
    const policy = sessionPolicyOf(action, { ...plan, ...(restores && { restores }) }, calls);
    return account.reach.responder({
      accountId: account.accountId,
      policy,
      caseId: 'c1',
      approvalId: 'a1',
      planHash: planHash(planOf(action, target, before, account.accountId)),
      requester: 'U0REQUESTER',
      approver: 'U0APPROVER',
    });
  }

  /** Fills and sends each call, as the executor does. */
  async function write(
    calls: readonly ApiCall[],
    before: Before,
    within: { readonly as?: AwsResponder; readonly restores?: Applied } = {},
  ): Promise<Applied> {
    // What cannot be undone sends nothing, and opens no session for it.
    if (calls.length === 0) return { before, done: [], at: new Date().toISOString() };
    const responder = within.as ?? (await respond(before, calls, within.restores));
    const steps: Step[] = [];
    for (const [index, planned] of calls.entries()) {
      const now = new Date();
      const call = fill(planned, { approvalId: 'a1', caseId: 'c1', now, steps });
      const { requestId, answer } = await responder.write(call);
      expect(requestId).not.toBe('');
      steps.push({ index, state: 'done', call, requestId, answer, at: now.toISOString() });
    }
    return { before, done: doneCalls(steps), at: new Date().toISOString() };
  }

  function undoOf(state: Before, applied: Applied): readonly ApiCall[] {
    return 'undo' in action ? action.undo(target as never, state as never, applied) : [];
  }

  it('is exported by its file under its own name', async () => {
    expect(await exportsOf('workflows/containment', name)).toHaveProperty(camelCase(name), action);
  });

  it('says in one sentence each what it does and what breaks', () => {
    for (const text of [action.title, action.impact]) {
      expect(text).toMatch(oneSentence);
      expect(sentences(text)).toBe(1);
    }
    expect(action.usage).toMatch(new RegExp(`^${name} `));
  });

  it('can be undone or says why not', () => {
    const words = 'undo' in action ? action.reversal : action.irreversible;

    expect(words).toMatch(/^[A-Z].*\.$/);
  });

  it('takes its example', () => {
    expect(action.target.safeParse(target)).toMatchObject({ success: true });
  });

  it.each([[''], ['two words too many'], ['<!channel>'], ["x'; drop table approvals"]])(
    'refuses "%s" with a way out',
    (words) => {
      expect(() => action.parse(wordsOf(words))).toThrow(expect.objectContaining({ name: 'UserError' }));
    },
  );

  it('reads with what its permissions name and nothing else', async () => {
    const aws = await account.reach.reader(account.accountId);
    const before = await inspect();
    const regions = () => account.reach.regions(account.accountId);
    const lines = await action.background(target as never, before as never, { aws, signal, regions });
    const effect = await action.effect?.(target as never, before as never, { aws, signal, regions });
    if (effect !== undefined) expect(effect).toMatch(/simulation.*\.$/);

    used(name, 'read', account.audited());
    expect(account.audited().filter((call) => ![...action.permissions.read, ...looking].includes(call))).toEqual([]);
    for (const permission of action.permissions.read) expect(permission).toMatch(reading);
    for (const line of [...lines, ...action.willNotStop(before as never)]) expect(line).toMatch(/^\S[^\n]*\.$/);
    expect(action.before.safeParse(before)).toMatchObject({ success: true, data: before });
  });

  it('writes with what its permissions name and nothing else, and each call is one that Firebreak can make', async () => {
    const before = await inspect();
    const applied = await write(action.apply(target as never, before as never), before);
    const after = await inspect({ planned: before });
    await write(undoOf(after, applied), after, { restores: applied });

    const made = account.responded().filter((call) => !action.permissions.read.includes(call));
    used(name, 'write', made);
    expect(made.filter((call) => !action.permissions.write.includes(call))).toEqual([]);
    for (const permission of action.permissions.write) expect(permission).not.toMatch(reading);
  });

  it('is plain JSON in the partition of the target, so that it can be hashed and shown', async () => {
    const before = await inspect();
    const calls = action.apply(target as never, before as never);

    expect(calls.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(calls))).toEqual(calls);
  });

  it('holds once it was applied, and shows each of its calls as carried out, so that none is sent twice', async () => {
    const before = await inspect();
    const calls = action.apply(target as never, before as never);
    if (calls.length > 1) expect(action.seen).toBeDefined();
    const { done } = await write(calls, before);
    const once = await inspect({ planned: before });

    // Some of what is read is there only once it was made: locks of snapshots, the state of a command.
    used(name, 'read', readsOf(account));
    expect(action.verify('apply', before as never, once as never, done)).toEqual({ held: true });
    expect(sameState(once, before)).toBe(false);
    for (const { call, answer } of done) {
      if (action.seen === undefined) continue;
      expect(action.seen(call, before as never), `${call.operation} before`).toBeUndefined();
      expect(action.seen(call, once as never), `${call.operation} after`).toMatchObject(answer);
    }
  });

  it('does not call it held before it was applied', async () => {
    const before = await inspect();

    expect(action.verify('apply', before as never, before as never, [])).toMatchObject({ held: false });
  });

  it.runIf('undo' in action)('undone restores the state before', async () => {
    const before = await inspect();
    const binds = bindsOf(action);
    const applied = await write(action.apply(target as never, before as never), before);
    const after = await inspect();

    const undone = await write(undoOf(after, applied), after, { restores: applied });

    const restored = await inspect();
    expect(binds(restored)).toEqual(binds(before));
    expect(action.verify('undo', after as never, restored as never, undone.done)).toEqual({ held: true });
  });

  it('can be inspected and verified within its own session policy', async () => {
    const before = await inspect();
    const calls = action.apply(target as never, before as never);
    const responder = await respond(before, calls);

    expect(await inspect({ responder, planned: before })).toEqual(before);
    const { done } = await write(calls, before, { as: responder });
    const now = await inspect({ responder, planned: before });
    expect(action.verify('apply', before as never, now as never, done)).toEqual({ held: true });
  });

  it('may write in its session what its calls write, and nothing that only the way back would need', async () => {
    const before = await inspect();
    const calls = action.apply(target as never, before as never);
    const plan = planOf(action, target, before, account.accountId);
    const applied = await write(calls, before);
    const after = await inspect({ planned: before });
    const back = undoOf(after, applied);

    const plans = [
      { made: calls, of: plan },
      ...(back.length > 0 ? [{ made: back, of: { ...plan, before: after, restores: applied } }] : []),
    ];
    for (const { made, of } of plans) {
      const { Statement } = sessionPolicyOf(action, of, made);
      const writes = Statement.flatMap(({ Action }) => Action).filter((one) => action.permissions.write.includes(one));
      expect(writes.filter((one) => !actionsOf(made).has(one))).toEqual([]);
      expect([...actionsOf(made)].filter((one) => !writes.includes(one))).toEqual([]);
      expect(Statement.filter(({ Action }) => Action.length === 0)).toEqual([]);
    }
  });

  it.each(partitions)('narrows its session to its permissions and its target in %s', async (partition) => {
    const before = inPartition(await inspect(), partition);
    const { Statement } = action.sessionPolicy(target as never, before as never, account.accountId, partition);
    const allowed = [...new Set(Statement.flatMap((statement) => statement.Action))];
    const declared = [...action.permissions.read, ...action.permissions.write];

    expect(allowed.filter((one) => !declared.some((name) => covers(one, name)))).toEqual([]);
    expect(allowed.filter((one) => action.permissions.write.includes(one))).not.toEqual([]);
    for (const statement of Statement.filter(({ Action }) =>
      Action.some((one) => !reading.test(one.replace('*', 'All'))),
    )) {
      for (const resource of [statement.Resource].flat()) {
        // Snapshots belong to no account in their ARN; what a plan creates has no id yet.
        expect(resource).toMatch(new RegExp(`^arn:${partition}:[a-z0-9-]+:[a-z0-9-]*:(${account.accountId})?:.`));
        expect(resource).not.toMatch(/(?<!:(security-group|snapshot)[/])[*]$/);
      }
    }
  });

  it('keeps its session policy short enough for AWS with names of the longest length', async () => {
    const long = Object.fromEntries(
      Object.entries(inPartition(await inspect(), 'aws-us-gov')).map(([field, value]) => [field, stretched(value)]),
    );

    const policy = action.sessionPolicy(target as never, long as never, account.accountId, 'aws-us-gov');

    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(longestPolicy);
  });

  it.each(partitions)('gives the protected list every name of its target in %s', async (partition) => {
    const before = inPartition(await inspect(), partition);
    const touched = action.touches(target as never, before as never, account.accountId, partition);

    const named = { ...target, ...inPartition({ arn: target.arn, roleArn: target.roleArn }, partition) };
    for (const value of Object.values(named).filter(isName)) expect(touched).toContain(value);
    const arn = new RegExp(`^arn:${partition}:.*:${account.accountId}:`);
    expect(touched.some((entry) => arn.test(entry))).toBe(true);
    for (const entry of touched) expect(protectedBecause(touched, { patterns: [entry], own: [] })).toMatch(/protected/);
    expect(protectedBecause(touched, { patterns: [], own: [] })).toBeUndefined();
  });

  it('says of a target that is not there that it is not there', async () => {
    const nowhere = Object.fromEntries(
      Object.entries(target).map(([field, value]) => [field, `${String(value).slice(0, -4)}ZZZZ`]),
    );
    const aws = await account.reach.reader(account.accountId);

    const looked = inspectTarget(action, nowhere, { aws, reach: account.reach, settings, signal });

    await expect(looked).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('asks of the responder role no more than it may write, and no less than its sessions ask', async () => {
    const before = await inspect();
    const role = action.roleStatements(account.accountId, 'aws').flatMap(({ Action }) => Action);
    const session = action.sessionPolicy(target as never, before as never, account.accountId, 'aws').Statement;

    expect(role.filter((one) => ![...action.permissions.read, ...action.permissions.write].includes(one))).toEqual([]);
    const asked = session.flatMap(({ Action }) => Action);
    expect(asked.filter((one) => !role.some((name) => covers(one, name)))).toEqual([]);
  });

  it('has a target and a pre-state that keep no field unasked', () => {
    for (const schema of [action.target, action.before]) {
      expect(z.toJSONSchema(schema)).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });
});

/** What the actions called, over all their examples. */
const calls = new Map<string, Set<string>>();
function used(name: string, way: string, made: readonly string[]): void {
  const key = `${name} ${way}`;
  calls.set(key, new Set([...(calls.get(key) ?? []), ...made]));
}

it.each(actions.map((action) => [action.name, action] as const))(
  'the action %s names no permission that none of its examples needs',
  (name, { permissions }) => {
    const read = [...(calls.get(`${name} read`) ?? [])].filter((one) => !looking.includes(one));
    expect(read.sort()).toEqual([...permissions.read].sort());
    const along = permissions.write.filter((one) => askedWithOthers.includes(one));
    expect([...new Set([...(calls.get(`${name} write`) ?? []), ...along])].sort()).toEqual(
      [...permissions.write].sort(),
    );
  },
);

it('a call that is not on the list of writes cannot be sent, whatever a plan says', async () => {
  const account = await openWatchedAccount();
  try {
    const responder = await account.reach.responder({
      accountId: account.accountId,
      policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['iam:*'], Resource: '*' }] },
      caseId: 'c1',
      approvalId: 'a1',
      planHash: 'h1',
      requester: 'U0REQUESTER',
      approver: 'U0APPROVER',
    });

    for (const operation of ['CreateUser', 'CreateAccessKey', 'constructor', '__proto__']) {
      await expect(responder.write({ service: 'iam', operation, region: 'us-east-1', input: {} })).rejects.toThrow(
        'is not a call that Firebreak can make',
      );
    }

    expect(account.responded()).toEqual([]);
  } finally {
    await account.close();
  }
});

/** What actions read; finding the Regions is the reach's. */
function readsOf(account: WatchedAccount): readonly string[] {
  return account.audited().filter((call) => !(reachReads as readonly string[]).includes(call));
}

/** A session may read by `Describe*`, for short: the role, which bounds it, names each. Writes are named. */
function covers(asked: string, name: string): boolean {
  return asked === name || (/:Describe[*]$/.test(asked) && name.startsWith(asked.slice(0, -1)));
}

/** The same pre-state as another partition would have it. */
function inPartition(before: Before, partition: string): Before {
  const moved = (value: unknown): unknown => {
    if (value === 'aws') return partition;
    if (Array.isArray(value)) return value.map(moved);
    return typeof value === 'string' ? value.replace(/^arn:aws:/, `arn:${partition}:`) : value;
  };
  return Object.fromEntries(Object.entries(before).map(([field, value]) => [field, moved(value)]));
}

/** Kinds, account ids, lists and empty fields name nothing that could be protected. */
function isName(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !/^\d{4}-\d\d-\d\dT/.test(value) &&
    !/^(user|role|ssm|no-replacement|\d{12}|[a-z]{2}(-[a-z]+)+-\d)$/.test(value)
  );
}

/** A value as long as AWS allows: names have up to 64 characters, paths in ARNs up to 512 more. */
function stretched(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (/^[a-z]{2}(-[a-z]+)+-\d$/.test(value)) return 'us-gov-west-1';
  return value.startsWith('arn:') ? `${value}${'n'.repeat(512 + 64)}` : 'n'.repeat(64);
}

function planOf(action: ContainmentAction, target: Target, before: Before, accountId: string): Plan {
  return {
    action: action.name,
    direction: 'apply',
    accountId,
    partition: 'aws',
    target,
    before,
    calls: action.apply(target as never, before as never),
    sessionPolicy: action.sessionPolicy(target as never, before as never, accountId, 'aws'),
    responderRole: 'arn:aws:iam::111122223333:role/ir/IrResponder',
  };
}
