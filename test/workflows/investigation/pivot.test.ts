import { describe, expect, it } from 'vitest';
import type { AwsReach, AwsReader } from '../../../src/contracts/aws.ts';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { UpstreamError, UserError } from '../../../src/contracts/errors.ts';
import type { Part } from '../../../src/contracts/message.ts';
import { pivot } from '../../../workflows/investigation/pivot.ts';
import { unusedServices } from '../../fakes/unused-services.ts';
import {
  evidenceOf,
  launchedIds,
  miningStory,
  pipelineArn,
  pipelineKey,
  type Raw,
  record,
  session,
  sharedIp,
  user,
} from '../../src/domain/pivot-records.ts';

/** Answers commands by name; records what was asked. */
function awsOf(answers: Record<string, (input: Record<string, unknown>) => unknown>) {
  const asked: string[] = [];
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    const name = command.constructor.name.replace(/Command$/, '');
    asked.push(name);
    const answer = answers[name];
    if (!answer) throw Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    return answer(command.input);
  };
  const client = { send } as unknown as AwsReader['iam'];
  const reader = {
    accountId: '999999999999',
    partition: 'aws',
    ...unusedServices(),
    iam: client,
    ec2: () => client as unknown as ReturnType<AwsReader['ec2']>,
    cloudtrail: () => client as unknown as ReturnType<AwsReader['cloudtrail']>,
  };
  const reach: AwsReach = {
    accounts: async () => ['999999999999'],
    regions: async () => ['us-east-1'],
    reader: async (accountId) => {
      if (accountId !== '999999999999') throw new UpstreamError('sts', 'AccessDenied', 'no', { retryable: false });
      return reader;
    },
    self: async () => [],
    responder: async () => {
      throw new UserError('no writes here');
    },
  };
  return { reach, asked };
}

function run(records: readonly CloudTrailRecord[], target: Record<string, unknown>, aws?: AwsReach) {
  return pivot.run(pivot.target.parse(target), {
    evidence: evidenceOf(records),
    aws,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T23:00:00Z'),
  });
}

function textOf(parts: readonly Part[]): string {
  return JSON.stringify(parts, (key, value: unknown) => (key === 'kind' || key === 'bold' ? undefined : value));
}

const instanceStates =
  (gone: readonly string[]) =>
  ({ Filters }: Record<string, unknown>) => {
    const ids = (Filters as { Values: string[] }[])[0]?.Values ?? [];
    return {
      Reservations: ids.map((id) => ({
        Instances: [{ InstanceId: id, State: { Name: gone.includes(id) ? 'terminated' : 'running' } }],
      })),
    };
  };
const inactiveKey = () => ({ AccessKeyMetadata: [{ AccessKeyId: pipelineKey, Status: 'Inactive' }] });
const activeKey = () => ({ AccessKeyMetadata: [{ AccessKeyId: pipelineKey, Status: 'Active', UserName: 'pipeline' }] });

describe('the mining story', () => {
  it('is told from one of its instances, in one sentence', async () => {
    const { reach } = awsOf({ DescribeInstances: instanceStates([launchedIds[9] ?? '']), ListAccessKeys: activeKey });
    const report = await run(miningStory(), { artifact: launchedIds[0] }, reach);

    expect(report.headline).toBe(
      'User pipeline made 10 calls from 203.0.113.99 and created 10 instances; 9 still alive, 1 gone.',
    );
    expect(report.answer).toMatchObject({
      seed: { kind: 'resource', id: launchedIds[0] },
      takenFor: 'EC2 instance',
      events: 1268,
    });
  });

  it('warns that the address is shared, and calls nobody on it an attacker', async () => {
    const report = await run(miningStory(), { artifact: pipelineArn });
    const words = textOf(report.parts);

    expect(words).toContain(
      '203.0.113.99 was also used by role DevOps (1,257 events): shared address, do not block it.',
    );
    expect(words).toContain('role DevOps (same address only)');
    expect(report.headline).not.toContain('DevOps');
  });

  it('proposes to disable the one long-term key, while it is active', async () => {
    const answers = { DescribeInstances: instanceStates([]), ListAccessKeys: activeKey };
    const active = await run(miningStory(3), { artifact: sharedIp }, awsOf(answers).reach);
    const inactive = await run(
      miningStory(3),
      { artifact: sharedIp },
      awsOf({
        ...answers,
        ListAccessKeys: inactiveKey,
      }).reach,
    );

    expect(active.proposals).toEqual([
      { action: 'disable-access-key', words: [pipelineKey], why: 'user pipeline created 10 instances' },
    ]);
    expect(active.next).toContain(`/ir contain disable-access-key ${pipelineKey}`);
    expect(inactive.proposals).toEqual([]);
    expect(textOf(inactive.parts)).toContain('it cannot be used while it stays so');
  });

  it('says "unknown" and why where no AWS was asked', async () => {
    const report = await run(miningStory(3), { artifact: pipelineKey });

    expect(report.answer.created).toHaveLength(20);
    expect(report.answer.created[0]).toMatchObject({
      id: launchedIds[0],
      createdBy: pipelineArn,
      state: 'unknown',
      because: 'no AWS was asked; no deletion in these logs',
    });
    expect(textOf(report.parts)).toContain('State unknown: no AWS was asked; no deletion in these logs.');
  });

  it('takes a termination in the log for the end of an instance', async () => {
    const end = record({
      eventTime: '2026-11-20T23:59:59Z',
      eventName: 'TerminateInstances',
      sourceIPAddress: '198.51.100.20',
      userIdentity: user('oncall'),
      requestParameters: { instancesSet: { items: launchedIds.map((instanceId) => ({ instanceId })) } },
    });
    const report = await run([...miningStory(3), end], { artifact: pipelineArn });

    expect(report.headline).toContain('created 10 instances; 10 gone.');
    expect(report.answer.created[0]?.because).toBe(
      'deleted by arn:aws:iam::999999999999:user/oncall at 2026-11-20T23:59:59Z in the log',
    );
  });

  it('draws a graph with the seed marked, and a timeline with a lane per identity', async () => {
    const report = await run(miningStory(3), { artifact: pipelineArn });
    const [graph, timeline] = report.pictures;

    expect(graph).toMatchObject({
      kind: 'graph',
      graph: {
        nodes: expect.arrayContaining([
          expect.objectContaining({ id: pipelineArn, mark: 'seed', label: 'user pipeline' }),
        ]),
      },
    });
    expect(timeline).toMatchObject({
      kind: 'timeline',
      // The role that only shares the address did nothing telling while the actor was there: its days stay out.
      timeline: { lanes: [{ id: pipelineArn, label: 'user pipeline' }] },
    });
  });

  it('ranks the launches first and names their techniques', async () => {
    const report = await run(miningStory(3), { artifact: pipelineArn });

    expect(report.answer.findings.filter(({ eventName }) => eventName === 'RunInstances')).toHaveLength(7);
    expect(textOf(report.parts)).toMatch(
      /What was done.*T1578\.002, T1496\.001, T1535.*user pipeline launched instances.*×7/,
    );
  });
});

describe('seeds', () => {
  it('starts from the caller of an event', async () => {
    const [launch] = miningStory(0);
    const story = miningStory(2);
    const eventID = story[0]?.eventID ?? '';
    const report = await run(story, { artifact: eventID });

    expect(launch).toBeDefined();
    expect(report.answer.seed).toEqual({ kind: 'event', id: eventID });
    expect(report.answer.nodes[0]).toMatchObject({ id: pipelineArn, depth: 0 });
  });

  it.each([pipelineArn, 'i-00000000000000000', '192.0.2.1', '11111111-2222-3333-4444-555555555555', '111122223333'])(
    'never calls %s clean when nothing is found',
    async (artifact) => {
      const report = await run([], { artifact });

      expect(report.headline).toMatch(/^(Nothing found for|0 identities acted in account) /);
      expect(report.headline).not.toMatch(/clean|safe|no threat/i);
      expect(report.coverage.accounts).toEqual(['999999999999']);
      expect(report.next).toContain(`/ir pivot ${artifact} --since 90d`);
    },
  );

  it('starts from whoever bears a unique id', async () => {
    const item = record({
      eventName: 'ListBuckets',
      userIdentity: { ...user('dave'), principalId: 'AIDADAVEOLD222222222' },
      sourceIPAddress: '203.0.113.44',
    });
    const evidence = evidenceOf([item]);
    const report = await pivot.run(pivot.target.parse({ artifact: 'AIDADAVEOLD222222222' }), {
      evidence: {
        ...evidence,
        recordsOf: async (one) => (one.id.startsWith('AIDA') ? [item] : evidence.recordsOf(one)),
      },
      aws: undefined,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date('2026-11-20T23:00:00Z'),
    });

    expect(report.headline).toBe('User dave made 1 call from 203.0.113.44.');
  });

  it('refuses what is no artifact with a hint', async () => {
    await expect(run([], { artifact: 'hello world' })).rejects.toThrow(UserError);
  });

  it('says so when a thing was named but nobody is tied to it', async () => {
    const look = record({
      eventName: 'DescribeInstances',
      readOnly: true,
      sourceIPAddress: sharedIp,
      userIdentity: user('a'),
      requestParameters: { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45ff' }] } },
    });
    const report = await run([look], { artifact: 'i-0ba42452619fc45ff' });

    expect(report.headline).toBe(
      'i-0ba42452619fc45ff is in 1 record, but no identity is tied to it by more than a mention.',
    );
    expect(textOf(report.parts)).toContain('Named by DescribeInstances (1).');
  });

  it('names the busiest identity of an account', async () => {
    const report = await run(miningStory(30), { artifact: '999999999999' });

    expect(report.headline).toBe('3 identities acted in account 999999999999; the busiest is role DevOps (30 calls).');
  });
});

describe('limits', () => {
  it('makes the coverage incomplete where a budget ended the search, with the reason', async () => {
    const report = await run(miningStory(2), { artifact: launchedIds[0], depth: 1 });

    expect(report.coverage).toMatchObject({
      complete: false,
      notLookedAt: ['depth limit of 1 reached: the graph is not closed'],
    });
    expect(report.answer.coverage).toEqual(report.coverage);
    expect(report.headline).toContain('not everything could be looked at');
  });

  it('keeps the coverage complete where a hub was left out on purpose', async () => {
    const report = await run(miningStory(2), { artifact: pipelineArn, hubLimit: 1 });

    expect(report.coverage.complete).toBe(true);
    expect(textOf(report.parts)).toContain('shared address: used by 2 principals (limit 1)');
  });

  it('takes the hub rules of the configuration', async () => {
    const report = await run(miningStory(2), {
      artifact: pipelineArn,
      hubs: { maxPrincipalsPerIp: 20, egress: ['203.0.113.0/24'], principals: [] },
    });

    expect(report.answer.nodes.find(({ id }) => id === sharedIp)?.notExpandedBecause).toBe(
      'known egress address (203.0.113.0/24)',
    );
  });
});

describe('what lives on', () => {
  const eve = 'arn:aws:iam::999999999999:user/eve';
  const newKey = 'AKIAQNZGKIQY56JQ7WML';
  const iam = {
    eventSource: 'iam.amazonaws.com',
    sourceIPAddress: sharedIp,
    userIdentity: session('Ops', 'x', '999999999999'),
  };
  const persistence = [
    record({
      ...iam,
      eventName: 'CreateUser',
      requestParameters: { userName: 'eve' },
      responseElements: { user: { arn: eve, userName: 'eve' } },
    }),
    record({
      ...iam,
      eventName: 'CreateAccessKey',
      requestParameters: { userName: 'eve' },
      responseElements: { accessKey: { accessKeyId: newKey, userName: 'eve', status: 'Active' } },
    }),
    record({
      ...iam,
      eventName: 'CreateRole',
      requestParameters: { roleName: 'Back' },
      responseElements: { role: { arn: 'arn:aws:iam::999999999999:role/Back', roleName: 'Back' } },
    }),
  ];
  const userExists = () => ({});
  const newKeyIsActive = () => ({ AccessKeyMetadata: [{ AccessKeyId: newKey, Status: 'Active' }] });
  const none = () => {
    throw Object.assign(new Error('no'), { name: 'NoSuchEntityException' });
  };

  it('asks AWS for users, keys and roles', async () => {
    const { reach, asked } = awsOf({
      GetUser: userExists,
      ListAccessKeys: newKeyIsActive,
      GetRole: none,
    });
    const report = await run(persistence, { artifact: 'arn:aws:sts::999999999999:assumed-role/Ops/x' }, reach);

    expect(report.answer.created.map(({ id, state }) => [id, state])).toEqual([
      [eve, 'alive'],
      [newKey, 'alive'],
      ['arn:aws:iam::999999999999:role/Back', 'gone'],
    ]);
    expect(report.headline).toContain('created 1 user, 1 access key and 1 role; 2 still alive, 1 gone');
    expect(report.proposals).toEqual([
      { action: 'disable-access-key', words: [newKey], why: 'an identity of this story made the key' },
    ]);
    expect([...new Set(asked)].sort().map((name) => `iam:${name}`)).toEqual(
      pivot.permissions.filter((name) => name.startsWith('iam:')),
    );
  });

  it('says why AWS could not tell, and takes no silence for an end', async () => {
    const report = await run(persistence, { artifact: eve }, awsOf({}).reach);

    expect(report.answer.created.map(({ state, because }) => [state, because])).toEqual(
      Array(3).fill(['unknown', 'AWS could not be asked (AccessDenied)']),
    );
  });

  it('says why for an account that it may not read', async () => {
    const elsewhere = persistence.map((item) => ({ ...item, recipientAccountId: '111122223333' }));
    const report = await run(elsewhere, { artifact: 'arn:aws:sts::999999999999:assumed-role/Ops/x' }, awsOf({}).reach);

    expect(report.answer.created[0]).toMatchObject({
      state: 'unknown',
      because: 'AWS could not be asked (AccessDenied)',
    });
  });
});

it('answers in the external shape', async () => {
  const { answer } = await run(miningStory(2), { artifact: pipelineArn });

  expect(Object.keys(answer)).toEqual(
    expect.arrayContaining(['seed', 'nodes', 'edges', 'events', 'coverage', 'findings']),
  );
  expect(answer.nodes[0]).toEqual({
    kind: 'user',
    id: pipelineArn,
    depth: 0,
    events: 10,
    firstSeen: expect.stringMatching(/Z$/),
    lastSeen: expect.stringMatching(/Z$/),
    expanded: true,
  });
  expect(answer.edges.find(({ kind }) => kind === 'used-key')).toEqual({
    from: pipelineArn,
    to: pipelineKey,
    kind: 'used-key',
    events: 10,
    eventIds: expect.any(Array),
  });
  expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
});

describe('a pivot that starts from several artifacts', () => {
  it('follows each of them, although nothing in the records links them', async () => {
    const records = [
      record({
        eventName: 'DescribeVpcs',
        userIdentity: user('alice', undefined, 'AKIAALICE2ALICE2ALIC'),
        sourceIPAddress: '203.0.113.1',
      }),
      record({
        eventName: 'DescribeVpcs',
        userIdentity: user('bert', undefined, 'AKIABERT2BERT2BERT22'),
        sourceIPAddress: '203.0.113.2',
      }),
    ];

    const alone = await run(records, { artifact: 'AKIAALICE2ALICE2ALIC' });
    const both = await run(records, {
      artifact: 'AKIAALICE2ALICE2ALIC',
      also: ['203.0.113.2', 'AKIAALICE2ALICE2ALIC'],
    });

    expect(alone.answer.nodes.map(({ id }) => id)).not.toContain('203.0.113.2');
    expect(both.answer.nodes.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['203.0.113.1', '203.0.113.2', 'AKIABERT2BERT2BERT22']),
    );
    expect(both.answer.nodes.filter(({ depth }) => depth === 0)).toHaveLength(2);
  });
});

describe('what is shared', () => {
  const evil = '198.51.100.77';
  const alice = user('alice', '999999999999', 'AKIAALICE22222222222');
  const aliceArn = 'arn:aws:iam::999999999999:user/alice';
  const call = (eventName: string, userIdentity: Raw, sourceIPAddress: string, more: Raw = {}) =>
    record({ eventName, userIdentity, sourceIPAddress, ...more });
  const takes = (role: string, name: string, key: string) => ({
    eventSource: 'sts.amazonaws.com',
    requestParameters: { roleArn: `arn:aws:iam::999999999999:role/${role}`, roleSessionName: name },
    responseElements: {
      assumedRoleUser: { arn: `arn:aws:sts::999999999999:assumed-role/${role}/${name}` },
      credentials: { accessKeyId: key },
    },
  });

  it('is no address that one chain of sessions came from, whether one asks for the user or for the address', async () => {
    const records = [
      call('AssumeRole', alice, evil, takes('Ops', 's', 'ASIAOPS2222222222222')),
      call('ListUsers', session('Ops', 's', '999999999999', 'ASIAOPS2222222222222'), evil),
    ];

    for (const artifact of [aliceArn, evil]) {
      expect(textOf((await run(records, { artifact })).parts)).not.toContain('do not block it');
    }
    const stranger = call('ListUsers', user('zoe'), evil);
    expect(textOf((await run([...records, stranger], { artifact: evil })).parts)).toContain('do not block it');
  });

  it('is no address for the copy that another account made of the same call', async () => {
    const shared = { ...takes('Far', 's', 'ASIAFAR2222222222222'), sharedEventID: 'one' };
    const at = { eventTime: '2026-11-20T22:00:00Z' };
    const records = [
      call('AssumeRole', alice, evil, { ...shared, ...at }),
      call('AssumeRole', { type: 'AWSAccount', accountId: '999999999999', principalId: 'AIDAALICE' }, evil, {
        ...shared,
        ...at,
        recipientAccountId: '222233334444',
      }),
    ];

    expect(textOf((await run(records, { artifact: aliceArn })).parts)).not.toContain('shared address');
  });

  it('is a user whose owner was there before somebody of the story changed it, and the seed address was used', async () => {
    const early = call('ListBuckets', user('staff/jane'), '203.0.113.5');
    const change = call('CreateAccessKey', alice, evil, {
      eventSource: 'iam.amazonaws.com',
      requestParameters: { userName: 'jane' },
      responseElements: { accessKey: { accessKeyId: 'AKIAJANE222222222222', userName: 'jane' } },
    });
    const late = call('ListBuckets', user('staff/jane', '999999999999', 'AKIAJANE222222222222'), '192.0.2.66');

    expect(textOf((await run([early, change, late], { artifact: aliceArn })).parts)).toMatch(
      /user jane made 1 call from 203\.0\.113\.5 before it was changed by user alice \(.*\): that may be its owner's own use\./,
    );
    expect(textOf((await run([early, late], { artifact: '192.0.2.66' })).parts)).toContain(
      'user jane made 1 call from 203.0.113.5 before it first used 192.0.2.66',
    );
  });

  it('is a role whose other sessions nothing else ties to the story', async () => {
    const change = call('AttachRolePolicy', alice, evil, {
      eventSource: 'iam.amazonaws.com',
      requestParameters: { roleName: 'Data', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    });
    const maria = call('ListTables', session('Data', 'maria'), '203.0.113.10');
    const report = await run([change, maria], { artifact: aliceArn });

    expect(textOf(report.parts)).toContain(
      'role Data was also used by session maria of role Data (1 call from 203.0.113.10): nothing but the role ties that use to this story.',
    );
    expect(report.headline).toBe('User alice made 1 call from 198.51.100.77.');
  });

  it('is what an account was let into, which is told first', async () => {
    const share = call('ModifySnapshotAttribute', alice, evil, {
      requestParameters: {
        snapshotId: 'snap-0bbbbbbbbbbbbbbb1',
        createVolumePermission: { add: { items: [{ userId: '666666666666' }] } },
      },
    });

    for (const artifact of [aliceArn, 'snap-0bbbbbbbbbbbbbbb1']) {
      expect(textOf((await run([share], { artifact })).parts)).toContain(
        'account 666666666666 into snap-0bbbbbbbbbbbbbbb1, by user alice (ModifySnapshotAttribute).',
      );
    }
    expect((await run([share], { artifact: 'snap-0bbbbbbbbbbbbbbb1' })).headline).toBe(
      'snap-0bbbbbbbbbbbbbbb1 was changed or deleted by user alice; who made it is not in what was looked at.',
    );
  });

  it('leaves the key of an earlier bearer of a name out of the keys to disable', async () => {
    const old = { ...user('dave', '999999999999', 'AKIADAVEOLD222222222'), principalId: 'AIDADAVEOLD' };
    const named = (eventName: string, more: Raw = {}) =>
      call(eventName, alice, evil, {
        eventSource: 'iam.amazonaws.com',
        requestParameters: { userName: 'dave' },
        ...more,
      });
    const arn = 'arn:aws:iam::999999999999:user/dave';
    const report = await run(
      [
        call('ListBuckets', old, '203.0.113.44'),
        named('DeleteUser'),
        named('CreateUser', { responseElements: { user: { userName: 'dave', userId: 'AIDADAVENEW', arn } } }),
      ],
      { artifact: aliceArn },
    );
    const keys = report.parts.findIndex((part) => part.kind === 'header' && part.text === 'Long-term keys');

    expect(textOf(report.parts.slice(keys, keys + 2))).not.toContain('AKIADAVEOLD');
    expect(textOf(report.parts)).toContain('2 different identities had this name one after the other: ');
  });

  it('proposes no disabling of a key of root, which nobody but root can do', async () => {
    const root = { type: 'Root', arn: 'arn:aws:iam::999999999999:root', accountId: '999999999999' };
    const made = call('CreateAccessKey', root, evil, {
      eventSource: 'iam.amazonaws.com',
      requestParameters: null,
      responseElements: { accessKey: { accessKeyId: 'AKIAROOT222222222222' } },
    });
    const used = call('ListUsers', { ...root, accessKeyId: 'AKIAROOT222222222222' }, evil);

    expect((await run([made, used], { artifact: 'AKIAROOT222222222222' })).proposals).toEqual([]);
  });

  it('is told of the holder first where one asks for his key', async () => {
    const creates = call('CreateUser', session('Ops', 's', '999999999999', 'ASIAOPS2222222222222'), '192.0.2.1', {
      eventSource: 'iam.amazonaws.com',
      requestParameters: { userName: 'eve' },
    });
    const taking = call('AssumeRole', alice, evil, takes('Ops', 's', 'ASIAOPS2222222222222'));

    expect((await run([taking, creates], { artifact: 'AKIAALICE22222222222' })).headline).toMatch(
      /^User alice and 1 more identity made 2 calls from 198\.51\.100\.77 and 1 more address and created 1 user/,
    );
  });
});
