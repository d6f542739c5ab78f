import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { eventsByUser } from '../../../src/domain/address-use.ts';
import type { PivotGraph } from '../../../src/domain/pivot-engine.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import {
  evidenceOf,
  launchedIds,
  miningStory,
  pipelineArn,
  pipelineKey,
  pivotOver,
  record,
  session,
  sharedIp,
  user,
} from './pivot-records.ts';

const data = fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const limits = { maxDepth: 50, hubLimit: 20, maxNodes: 10_000, maxEvents: 100_000 };
const noHubs = { limits: { ...limits, hubLimit: 0 } };

function node(graph: PivotGraph, id: string) {
  return graph.nodes.find((candidate) => candidate.id === id);
}

/** What GROUND_TRUTH.md compares: user and session ARNs, addresses and instance ids. */
function compared(graph: PivotGraph): string[] {
  return graph.nodes
    .filter(({ kind, id }) => ['user', 'session', 'ip'].includes(kind) || /^i-/.test(id))
    .map(({ id }) => id)
    .sort();
}

/** The closure of GROUND_TRUTH.md, written apart from the product: pairs of ids, then a flood fill. */
function closure(records: readonly CloudTrailRecord[], seed: string): string[] {
  const pairs: [string, string][] = [];
  for (const item of records) {
    const { requestParameters: asked, responseElements: answered } = item;
    const arn = item.userIdentity.type === 'AWSService' ? undefined : item.userIdentity.arn;
    if (arn && /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(item.sourceIPAddress)) {
      pairs.push([arn, item.sourceIPAddress]);
    }
    const isSession = (id: string | undefined) => /assumed-role\/[^/]+\/(i-[0-9a-z]{17})$/.exec(id ?? '')?.[1];
    const own = isSession(arn);
    if (arn && own) pairs.push([arn, own]);
    if (item.errorCode) continue;
    const to: string | undefined = (answered?.assumedRoleUser as { arn: string } | undefined)?.arn;
    if (item.eventName === 'AssumeRole' && to) {
      if (arn) pairs.push([arn, to]);
      const instance = isSession(to);
      if (instance) pairs.push([to, instance]);
    }
    if (arn && /^Create(User|LoginProfile|AccessKey)$/.test(item.eventName)) {
      pairs.push([arn, `arn:aws:iam::${item.recipientAccountId}:user/${asked?.userName ?? arn.split('/').at(-1)}`]);
    }
    if (arn && item.eventName === 'RunInstances') {
      const items = (answered?.instancesSet as { items: { instanceId: string }[] } | undefined)?.items ?? [];
      for (const { instanceId } of items) pairs.push([arn, instanceId]);
    }
  }
  const found = new Set([seed]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [a, b] of pairs) {
      if (found.has(a)) found.add(b);
      if (found.has(b)) found.add(a);
    }
  }
  return [...found].sort();
}

interface AnyActor {
  readonly kind: 'user' | 'session' | 'service';
  readonly n: number;
  readonly account: number;
  readonly key: number;
}

interface AnyEvent {
  readonly actor: AnyActor;
  readonly ip: string;
  readonly name: string;
  readonly isError: boolean;
  readonly target: number;
  readonly instances: readonly number[];
}

const accounts = ['111122223333', '444455556666'];
const anyActor: fc.Arbitrary<AnyActor> = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), n: fc.nat(3), account: fc.nat(1), key: fc.nat(1) }),
  fc.record({ kind: fc.constant('session' as const), n: fc.nat(2), account: fc.nat(1), key: fc.nat(1) }),
  fc.record({ kind: fc.constant('service' as const), n: fc.nat(0), account: fc.nat(1), key: fc.nat(0) }),
);
const anyEvent: fc.Arbitrary<AnyEvent> = fc.record({
  actor: anyActor,
  ip: fc.constantFrom(
    '198.51.100.1',
    '198.51.100.2',
    '203.0.113.3',
    '10.0.0.4',
    '035.1.2.3',
    'AWS Internal',
    'ec2.amazonaws.com',
    '',
  ),
  name: fc.constantFrom(
    'DescribeInstances',
    'AssumeRole',
    'CreateUser',
    'CreateLoginProfile',
    'CreateAccessKey',
    'RunInstances',
    'GetObject',
  ),
  isError: fc.boolean(),
  target: fc.nat(3),
  instances: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }),
});

const sessionNames = ['deploy', instanceName(0), instanceName(1)];

function instanceName(n: number): string {
  return `i-0ba42452619fc45a${n}`;
}

function identityOf({ kind, n, account, key }: AnyActor) {
  const accountId = accounts[account] ?? '';
  if (kind === 'service') return { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' };
  if (kind === 'user') return user(`u${n}`, accountId, key ? `AKIA${account}${n}AAAAAAAAAAAAAA` : undefined);
  return session('Ops', sessionNames[n] ?? '', accountId, key ? `ASIA${account}${n}AAAAAAAAAAAAAA` : undefined);
}

function worldOf(events: readonly AnyEvent[]): CloudTrailRecord[] {
  return events.map(({ actor, ip, name, isError, target, instances }) => {
    const recipientAccountId = accounts[actor.account];
    const asked: Record<string, unknown> = {};
    const answered: Record<string, unknown> = {};
    const service =
      name === 'AssumeRole' ? 'sts' : name.startsWith('Create') ? 'iam' : name === 'GetObject' ? 's3' : 'ec2';
    if (name === 'AssumeRole') {
      const other = accounts[(actor.account + target) % 2];
      const sessionName = sessionNames[target % 3];
      Object.assign(asked, { roleArn: `arn:aws:iam::${other}:role/Ops`, roleSessionName: sessionName });
      Object.assign(answered, { assumedRoleUser: { arn: `arn:aws:sts::${other}:assumed-role/Ops/${sessionName}` } });
    }
    if (service === 'iam') Object.assign(asked, { userName: `u${target}` });
    if (name === 'CreateUser')
      Object.assign(answered, {
        user: { arn: `arn:aws:iam::${recipientAccountId}:user/u${target}`, userName: `u${target}` },
      });
    if (name === 'RunInstances') {
      Object.assign(answered, {
        instancesSet: {
          items: instances.map((n) => ({ instanceId: instanceName(n), vpcId: 'vpc-0123456789abcdef0' })),
        },
      });
    }
    return record({
      eventName: name,
      eventSource: `${service}.amazonaws.com`,
      sourceIPAddress: ip,
      recipientAccountId,
      userIdentity: identityOf(actor),
      readOnly: /^(Describe|Get|Assume)/.test(name),
      requestParameters: asked,
      responseElements: isError ? null : answered,
      ...(isError ? { errorCode: 'AccessDenied' } : {}),
    });
  });
}

function seedOf(records: readonly CloudTrailRecord[], pick: number) {
  const seeds = records.flatMap((item) => {
    const arn = item.userIdentity.arn;
    const found: { kind: 'user' | 'session' | 'ip'; id: string }[] = [];
    if (arn) found.push({ kind: arn.includes(':sts:') ? 'session' : 'user', id: arn });
    if (/^[1-9][\d.]+$/.test(item.sourceIPAddress)) found.push({ kind: 'ip', id: item.sourceIPAddress });
    return found;
  });
  return seeds[pick % Math.max(seeds.length, 1)];
}

describe('the closure', () => {
  it('equals the closure of the ground-truth rules in any small world', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 25 }), fc.nat(), async (events, pick) => {
        const records = worldOf(events);
        const seed = seedOf(records, pick);
        if (!seed) return;

        const graph = await pivotOver(records, seed, noHubs);

        expect(compared(graph)).toEqual(closure(records, seed.id));
        expect(graph.cutShort).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('does not depend on the order of the records, with and without hub rules', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEvent, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.constantFrom(0, 1, 2),
        async (events, pick, hubLimit) => {
          const records = worldOf(events);
          const seed = seedOf(records, pick);
          if (!seed) return;
          const change = { limits: { ...limits, hubLimit } };

          const straight = await pivotOver(records, seed, change);
          const reversed = await pivotOver(records.toReversed(), seed, change);

          expect(reversed).toEqual(straight);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('ends under any budget, and says so where the budget ended it', async () => {
    const budgets = fc.record({
      maxDepth: fc.nat(4),
      maxNodes: fc.integer({ min: 1, max: 12 }),
      maxEvents: fc.integer({ min: 1, max: 15 }),
      hubLimit: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEvent, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        budgets,
        async (events, pick, budget) => {
          const records = worldOf(events);
          const seed = seedOf(records, pick);
          if (!seed) return;

          const whole = await pivotOver(records, seed, { limits: { ...limits, hubLimit: budget.hubLimit } });
          const cut = await pivotOver(records, seed, { limits: budget });

          if (cut.cutShort.length === 0) expect(cut).toEqual(whole);
          for (const { expanded, notExpandedBecause } of cut.nodes)
            expect(expanded).toBe(notExpandedBecause === undefined);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the mining story', () => {
  it('goes from one instance to the user, its siblings, the key, and the neighbour on the address', async () => {
    const graph = await pivotOver(miningStory(30), { kind: 'resource', id: launchedIds[0] ?? '' });

    expect(compared(graph)).toEqual(
      [...launchedIds, pipelineArn, sharedIp, 'arn:aws:sts::999999999999:assumed-role/DevOps/MaryMajor'].sort(),
    );
    expect(node(graph, pipelineKey)).toMatchObject({ kind: 'accessKey', expanded: true });
    expect(node(graph, pipelineArn)).toMatchObject({ depth: 1, events: 10 });
    expect(eventsByUser(graph.onAddress.get(sharedIp) ?? { events: 0, users: [] })).toEqual(
      new Map([
        [pipelineArn, 10],
        ['arn:aws:iam::999999999999:role/DevOps', 30],
      ]),
    );
  });

  it('shows the role of a session without following it to the role’s other sessions', async () => {
    const elsewhere = record({
      eventName: 'ListBuckets',
      readOnly: true,
      sourceIPAddress: '198.51.100.50',
      userIdentity: session('DevOps', 'JohnDoe'),
    });
    const graph = await pivotOver([...miningStory(5), elsewhere], { kind: 'user', id: pipelineArn });

    expect(node(graph, 'arn:aws:iam::999999999999:role/DevOps')).toMatchObject({ expanded: false });
    expect(node(graph, 'arn:aws:sts::999999999999:assumed-role/DevOps/JohnDoe')).toBeUndefined();
  });

  it('follows a role to its sessions where the role is the seed', async () => {
    const graph = await pivotOver(miningStory(5), { kind: 'role', id: 'arn:aws:iam::999999999999:role/DevOps' });

    expect(node(graph, 'arn:aws:sts::999999999999:assumed-role/DevOps/MaryMajor')).toMatchObject({
      expanded: true,
      depth: 1,
    });
  });
});

describe('hubs', () => {
  const crowd = (n: number) =>
    Array.from({ length: n }, (_, i) =>
      record({
        eventName: 'DescribeInstances',
        readOnly: true,
        sourceIPAddress: '198.51.100.9',
        userIdentity: user(`u${i}`),
      }),
    );
  const first = { kind: 'user', id: 'arn:aws:iam::999999999999:user/u0' } as const;
  const address = { kind: 'ip', id: '198.51.100.9' } as const;

  it('shows an address that too many principals share, and does not follow it', async () => {
    const graph = await pivotOver(crowd(21), first);

    expect(graph.nodes.map(({ id }) => id)).toEqual([first.id, address.id]);
    expect(node(graph, address.id)).toMatchObject({
      expanded: false,
      events: 21,
      notExpandedBecause: 'shared address: used by 21 principals (limit 20)',
    });
    expect(graph.cutShort).toEqual([]);
  });

  it.each([
    ['at the limit', crowd(20), {}],
    ['with no hub rule', crowd(40), noHubs],
    ['on demand', crowd(40), { expandAlso: [address.id] }],
  ])('follows it %s', async (_, records, change) => {
    expect((await pivotOver(records, first, change)).nodes).toHaveLength(records.length + 1);
  });

  it('never holds the seed back', async () => {
    expect((await pivotOver(crowd(40), address)).nodes).toHaveLength(41);
  });

  it('counts all sessions of a role as one principal', async () => {
    const sessions = Array.from({ length: 40 }, (_, i) =>
      record({
        eventName: 'X',
        readOnly: true,
        sourceIPAddress: '198.51.100.9',
        userIdentity: session('Ops', `s${i}`),
      }),
    );
    const graph = await pivotOver([...crowd(2), ...sessions], first);

    expect(node(graph, address.id)).toMatchObject({ expanded: true });
  });

  it.each([
    [
      'a known egress range',
      '198.51.100.9',
      { egress: ['2001:db8::/32', '198.51.100.0/24'], principals: [] },
      'known egress address (198.51.100.0/24)',
    ],
    [
      'a private address',
      '10.1.2.3',
      { egress: [], principals: [] },
      'private address: it means something only inside one network',
    ],
  ])('does not follow %s', async (_, ip, hubs, notExpandedBecause) => {
    const records = ['u0', 'u1'].map((name) =>
      record({ eventName: 'X', readOnly: true, sourceIPAddress: ip, userIdentity: user(name) }),
    );

    expect(node(await pivotOver(records, first, { hubs }), ip)).toMatchObject({ expanded: false, notExpandedBecause });
    expect(node(await pivotOver(records, first, { hubs, ...noHubs }), ip)).toMatchObject({ expanded: true });
  });

  it.each(['arn:aws:iam::999999999999:role/CI', 'arn:aws:iam::*:role/C*', 'arn:aws:sts::*:assumed-role/CI/build-*'])(
    'does not follow principals that the configuration lists, by role, ARN or pattern: %s',
    async (listed) => {
      const records = [
        ...crowd(1),
        record({ eventName: 'X', sourceIPAddress: '198.51.100.9', userIdentity: session('CI', 'build-1') }),
      ];
      const graph = await pivotOver(records, first, {
        hubs: { egress: [], principals: [listed] },
      });

      expect(node(graph, 'arn:aws:sts::999999999999:assumed-role/CI/build-1')).toMatchObject({ expanded: false });
    },
  );
});

describe('who touched what', () => {
  const stop = record({
    eventName: 'StopInstances',
    sourceIPAddress: '198.51.100.20',
    userIdentity: user('oncall'),
    requestParameters: { instancesSet: { items: [{ instanceId: launchedIds[0] }] } },
  });
  const oncall = 'arn:aws:iam::999999999999:user/oncall';

  it('shows who only changed a made instance, but does not follow', async () => {
    const graph = await pivotOver([...miningStory(0), stop], { kind: 'user', id: pipelineArn });

    expect(node(graph, oncall)).toMatchObject({
      expanded: false,
      notExpandedBecause: `it did not make ${launchedIds[0]}, but only changed it`,
    });
    expect(node(graph, '198.51.100.20')).toBeUndefined();
    expect(graph.edges).toContainEqual({
      from: oncall,
      to: launchedIds[0],
      kind: 'changed',
      events: 1,
      eventIds: [stop.eventID],
    });
  });

  it('shows what somebody changed without following it to its maker', async () => {
    const graph = await pivotOver([...miningStory(0), stop], { kind: 'user', id: oncall });

    expect(node(graph, launchedIds[0] ?? '')).toMatchObject({ expanded: false });
    expect(node(graph, pipelineArn)).toBeUndefined();
  });

  it('follows changed identities both ways', async () => {
    const attach = record({
      eventName: 'AttachUserPolicy',
      eventSource: 'iam.amazonaws.com',
      sourceIPAddress: '198.51.100.20',
      userIdentity: user('admin'),
      requestParameters: { userName: 'eve', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    });
    const use = record({ eventName: 'X', sourceIPAddress: '198.51.100.21', userIdentity: user('eve') });
    const both = [
      '198.51.100.20',
      '198.51.100.21',
      'arn:aws:iam::999999999999:user/admin',
      'arn:aws:iam::999999999999:user/eve',
    ];

    expect(compared(await pivotOver([attach, use], { kind: 'ip', id: '198.51.100.20' }))).toEqual(both);
    expect(compared(await pivotOver([attach, use], { kind: 'ip', id: '198.51.100.21' }))).toEqual(both);
  });

  it('finds a user whose path only its own calls tell', async () => {
    const make = record({
      eventName: 'CreateLoginProfile',
      eventSource: 'iam.amazonaws.com',
      sourceIPAddress: '198.51.100.20',
      userIdentity: user('admin'),
      requestParameters: { userName: 'eve' },
    });
    const named = record({
      eventName: 'GetUser',
      eventSource: 'iam.amazonaws.com',
      readOnly: true,
      sourceIPAddress: '198.51.100.20',
      userIdentity: user('ops/eve'),
    });
    const use = record({ eventName: 'X', sourceIPAddress: '198.51.100.21', userIdentity: user('ops/eve') });
    const graph = await pivotOver([make, named, use], { kind: 'user', id: 'arn:aws:iam::999999999999:user/admin' });

    expect(graph.edges).toContainEqual(
      expect.objectContaining({
        kind: 'same-as',
        from: 'arn:aws:iam::999999999999:user/eve',
        to: 'arn:aws:iam::999999999999:user/ops/eve',
      }),
    );
    expect(node(graph, '198.51.100.21')).toBeDefined();
  });

  it('goes along a chain of roles into another account, and back', async () => {
    const assume = (who: Record<string, unknown>, account: string, name: string, ip: string) =>
      record({
        eventName: 'AssumeRole',
        eventSource: 'sts.amazonaws.com',
        readOnly: true,
        sourceIPAddress: ip,
        userIdentity: who,
        requestParameters: { roleArn: `arn:aws:iam::${account}:role/Hop`, roleSessionName: name },
        responseElements: {
          assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/Hop/${name}` },
          credentials: { accessKeyId: `ASIAQNZGKIQY5${name}AAAA` },
        },
      });
    const records = [
      assume(user('start', '111122223333'), '111122223333', 'one', '198.51.100.1'),
      assume(session('Hop', 'one', '111122223333'), '444455556666', 'two', 'AWS Internal'),
      record({
        eventName: 'ListBuckets',
        readOnly: true,
        sourceIPAddress: '198.51.100.7',
        userIdentity: session('Hop', 'two', '444455556666'),
      }),
    ];
    const ids = [
      '198.51.100.1',
      '198.51.100.7',
      'arn:aws:iam::111122223333:user/start',
      'arn:aws:sts::111122223333:assumed-role/Hop/one',
      'arn:aws:sts::444455556666:assumed-role/Hop/two',
    ];

    expect(compared(await pivotOver(records, { kind: 'user', id: 'arn:aws:iam::111122223333:user/start' }))).toEqual(
      ids,
    );
    expect(compared(await pivotOver(records, { kind: 'ip', id: '198.51.100.7' }))).toEqual(ids);
  });

  it('gives the key that only the other account’s copy shows to the caller whom his own copy names', async () => {
    const at = { eventTime: '2026-11-20T22:30:00Z', eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole' };
    const asked = { roleArn: 'arn:aws:iam::222233334444:role/Far', roleSessionName: 's' };
    const shared = { ...at, requestParameters: asked, sharedEventID: 'one', sourceIPAddress: '198.51.100.9' };
    const own = record({ ...shared, userIdentity: user('alice') });
    const theirs = record({
      ...shared,
      recipientAccountId: '222233334444',
      userIdentity: { type: 'AWSAccount', accountId: '999999999999', principalId: 'AIDAALICE' },
      responseElements: {
        assumedRoleUser: { arn: 'arn:aws:sts::222233334444:assumed-role/Far/s' },
        credentials: { accessKeyId: 'ASIAFARFARFARFARFARF' },
      },
    });
    for (const records of [
      [own, theirs],
      [theirs, own],
    ]) {
      const graph = await pivotOver(records, { kind: 'user', id: 'arn:aws:iam::999999999999:user/alice' });
      const from = (id: string) =>
        graph.edges.filter((edge) => edge.from === id).map(({ kind, to, events }) => `${kind} ${to} ${events}`);

      expect(from('arn:aws:iam::999999999999:user/alice')).toContain('minted ASIAFARFARFARFARFARF 1');
      expect(from('arn:aws:iam::999999999999:user/alice')).toContain(
        'assumed arn:aws:sts::222233334444:assumed-role/Far/s 1',
      );
    }
  });

  it('follows the chain only as deep as it may, and says that it is not closed', async () => {
    const graph = await pivotOver(
      miningStory(1),
      { kind: 'resource', id: launchedIds[0] ?? '' },
      { limits: { ...limits, maxDepth: 1 } },
    );

    expect(graph.cutShort).toEqual(['depth limit of 1 reached: the graph is not closed']);
    expect(node(graph, pipelineArn)).toMatchObject({ expanded: false, notExpandedBecause: 'depth limit of 1 reached' });
  });

  it('keeps different events with one event id apart, and exact copies together', async () => {
    const one = record({ eventID: '1', eventName: 'X', sourceIPAddress: '198.51.100.1', userIdentity: user('a') });
    const two = record({ eventID: '1', eventName: 'Y', sourceIPAddress: '198.51.100.1', userIdentity: user('b') });
    const graph = await pivotOver([one, two, structuredClone(one)], { kind: 'ip', id: '198.51.100.1' });

    expect(graph.records).toHaveLength(2);
  });

  it('stops when it is told to', async () => {
    const stopped = AbortSignal.abort(new Error('shutting down'));

    await expect(pivotOver(miningStory(1), { kind: 'user', id: pipelineArn }, { signal: stopped })).rejects.toThrow(
      'shutting down',
    );
  });

  it('shows the busiest principals of an account and follows none', async () => {
    const graph = await pivotOver(miningStory(12), { kind: 'account', id: '999999999999' });

    expect(graph.nodes.map(({ id, expanded }) => [id, expanded])).toContainEqual([pipelineArn, false]);
    expect(graph.records).toHaveLength(23);
  });
});

describe.skipIf(!existsSync(data))('third-party logs (skipped where the shared data is absent)', () => {
  const parse = (values: unknown[]) =>
    values.flatMap((value) => {
      const parsed = parseRecord(value);
      return parsed.ok ? [parsed.record] : [];
    });

  it('finds in OTRF what the ground truth has, and its instance', async () => {
    const zip = `${data}/cloudtrail/otrf/ec2_proxy_s3_exfiltration.zip`;
    const text = execFileSync('unzip', ['-p', zip], { maxBuffer: 1e8 }).toString();
    const records = parse(
      text
        .split('\n')
        .filter((row) => row.trim())
        .map((row) => JSON.parse(row) as unknown),
    );
    const waf =
      'arn:aws:sts::123456789123:assumed-role/MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0/i-0317f6c6b66ae9c40';
    const pedro = 'arn:aws:iam::123456789123:user/pedro';

    const graph = await pivotOver(records, { kind: 'user', id: pedro }, noHubs);

    expect(records).toHaveLength(103);
    expect(compared(graph)).toEqual(['1.2.3.4', pedro, waf, 'i-0317f6c6b66ae9c40']);
  });

  it.each(['iam-backdoor-user', 'lambda-overwrite-code', 'iam-create-user-login-profile'])(
    'ties the actor of stratus %s to what it did',
    async (name) => {
      const records = parse(
        JSON.parse(
          readFileSync(`${data}/cloudtrail/stratus-red-team/aws.persistence.${name}.json`, 'utf8'),
        ) as unknown[],
      );
      const arn = records[0]?.userIdentity.arn ?? '';

      const graph = await pivotOver(records, { kind: 'user', id: arn }, noHubs);

      expect(graph.edges.some((edge) => edge.from === arn && /created|changed/.test(edge.kind))).toBe(true);
      expect(evidenceOf(records).coverage().complete).toBe(true);
    },
  );
});
