import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { creationsOf } from '../../../src/domain/creation.ts';
import { linksOf } from '../../../src/domain/links.ts';
import { mintingOf } from '../../../src/domain/minting.ts';
import { type Raw, record, session, user } from './pivot-records.ts';

const alice = user('alice', '111122223333');
const aliceArn = 'arn:aws:iam::111122223333:user/alice';

function edges(item: CloudTrailRecord): string[] {
  return linksOf(item)
    .edges.map((edge) => `${edge.kind} ${edge.from} ${edge.to}`)
    .sort();
}

function call(eventName: string, fields: Record<string, unknown> = {}) {
  return record({
    eventName,
    recipientAccountId: '111122223333',
    userIdentity: alice,
    sourceIPAddress: 'AWS Internal',
    ...fields,
  });
}

const iam = { eventSource: 'iam.amazonaws.com' };

describe('addresses and keys', () => {
  it('links a failed call to its address and key too', () => {
    const item = call('RunInstances', {
      userIdentity: user('alice', '111122223333', 'AKIAQNZGKIQY56JQ7WML'),
      sourceIPAddress: '198.51.100.7',
      errorCode: 'Client.UnauthorizedOperation',
      responseElements: { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45aa' }] } },
    });

    expect(edges(item)).toEqual([`used-ip ${aliceArn} 198.51.100.7`, `used-key ${aliceArn} AKIAQNZGKIQY56JQ7WML`]);
  });

  it.each([
    '035.249.253.232',
    'AWS Internal',
    'AWS Internal/4',
    '',
    '1.2.3',
    '253.252.51.07',
    '1.2.3.4.5',
    '300.1.1.1',
    'fe80::1%eth0',
  ])('takes %j for no address', (sourceIPAddress) => {
    expect(linksOf(call('DescribeInstances', { sourceIPAddress })).nodes.filter((node) => node.kind === 'ip')).toEqual(
      [],
    );
  });

  it('shows an AWS service in the place of the address as a node without an edge', () => {
    const links = linksOf(call('DescribeInstances', { sourceIPAddress: 'cloudformation.amazonaws.com' }));

    expect(links.nodes).toContainEqual({ kind: 'service', id: 'cloudformation.amazonaws.com' });
    expect(links.edges).toEqual([]);
  });

  it('reads IPv6 addresses in their canonical spelling', () => {
    expect(edges(call('DescribeInstances', { sourceIPAddress: '2001:DB8:0::1' }))).toEqual([
      `used-ip ${aliceArn} 2001:db8::1`,
    ]);
  });
});

describe('sessions', () => {
  it('links caller, session, minted key and role of AssumeRole', () => {
    const item = call('AssumeRole', {
      eventSource: 'sts.amazonaws.com',
      readOnly: true,
      requestParameters: { roleArn: 'arn:aws:iam::444455556666:role/ops/Deploy', roleSessionName: 'x' },
      responseElements: {
        credentials: { accessKeyId: 'ASIAQNZGKIQY56JQ7WML' },
        assumedRoleUser: {
          arn: 'arn:aws:sts::444455556666:assumed-role/Deploy/x',
          assumedRoleId: 'AROAQNZGKIQY56JQ7WML:x',
        },
      },
    });

    expect(edges(item)).toEqual([
      `assumed ${aliceArn} arn:aws:sts::444455556666:assumed-role/Deploy/x`,
      'assumed arn:aws:sts::444455556666:assumed-role/Deploy/x arn:aws:iam::444455556666:role/ops/Deploy',
      `minted ${aliceArn} ASIAQNZGKIQY56JQ7WML`,
    ]);
  });

  it('only names the role of a refused AssumeRole', () => {
    const item = call('AssumeRole', {
      eventSource: 'sts.amazonaws.com',
      errorCode: 'AccessDenied',
      requestParameters: { roleArn: 'arn:aws:iam::111122223333:role/Admin', roleSessionName: 'x' },
    });

    expect(edges(item)).toEqual([]);
    expect(linksOf(item).nodes).toContainEqual({ kind: 'role', id: 'arn:aws:iam::111122223333:role/Admin' });
  });

  it('ties an instance to the session that is named after it', () => {
    const item = call('ListBuckets', {
      readOnly: true,
      userIdentity: session('Web', 'i-0ba42452619fc45aa', '111122223333'),
    });

    expect(edges(item)).toContain(
      'runs-as i-0ba42452619fc45aa arn:aws:sts::111122223333:assumed-role/Web/i-0ba42452619fc45aa',
    );
  });

  it('ties a function to its session by inScopeOf', () => {
    const sourceArn = 'arn:aws:lambda:us-east-1:111122223333:function:thumbs';
    const item = call('ListBuckets', {
      readOnly: true,
      userIdentity: { ...session('Fn', 'thumbs', '111122223333'), inScopeOf: { sourceArn } },
    });

    expect(edges(item)).toContain(`runs-as ${sourceArn} arn:aws:sts::111122223333:assumed-role/Fn/thumbs`);
  });

  it('links GetFederationToken to the federated user and its key', () => {
    const item = call('GetFederationToken', {
      eventSource: 'sts.amazonaws.com',
      responseElements: {
        credentials: { accessKeyId: 'ASIAQNZGKIQY56JQ7WML' },
        federatedUser: { arn: 'arn:aws:sts::111122223333:federated-user/bob', federatedUserId: '111122223333:bob' },
      },
    });

    expect(edges(item)).toEqual([
      `minted ${aliceArn} ASIAQNZGKIQY56JQ7WML`,
      `minted ${aliceArn} arn:aws:sts::111122223333:federated-user/bob`,
    ]);
  });

  it('links AssumeRoot to the root of the target account, in the caller’s partition', () => {
    const item = call('AssumeRoot', {
      eventSource: 'sts.amazonaws.com',
      userIdentity: user('alice', '111122223333', undefined, 'aws-us-gov'),
      requestParameters: { targetPrincipal: '444455556666' },
    });

    expect(edges(item)).toEqual([
      'assumed arn:aws-us-gov:iam::111122223333:user/alice arn:aws-us-gov:iam::444455556666:root',
    ]);
  });
});

describe('identities that are made and changed', () => {
  it('reads a new user with its path', () => {
    const item = call('CreateUser', {
      ...iam,
      requestParameters: { userName: 'eve', path: '/ops/' },
      responseElements: { user: { arn: 'arn:aws:iam::111122223333:user/ops/eve', userName: 'eve', path: '/ops/' } },
    });

    expect(edges(item)).toEqual([`created ${aliceArn} arn:aws:iam::111122223333:user/ops/eve`]);
  });

  it('links a new key to its maker, and the maker to the key’s user', () => {
    const item = call('CreateAccessKey', {
      ...iam,
      requestParameters: { userName: 'eve' },
      responseElements: { accessKey: { accessKeyId: 'AKIAQNZGKIQY56JQ7WML', userName: 'eve', status: 'Active' } },
    });

    expect(edges(item)).toEqual([
      `changed ${aliceArn} arn:aws:iam::111122223333:user/eve`,
      `created ${aliceArn} AKIAQNZGKIQY56JQ7WML`,
    ]);
  });

  it('links no second user where the caller acts on itself, by name or without one, whatever its path', () => {
    const userIdentity = user('ops/alice', '111122223333');
    const accessKey = { accessKeyId: 'AKIAQNZGKIQY56JQ7WML', userName: 'alice', status: 'Active' };
    for (const requestParameters of [null, { userName: 'alice' }]) {
      const item = call('CreateAccessKey', {
        ...iam,
        userIdentity,
        requestParameters,
        responseElements: { accessKey },
      });

      expect(edges(item)).toEqual(['created arn:aws:iam::111122223333:user/ops/alice AKIAQNZGKIQY56JQ7WML']);
    }
  });

  it.each([
    ['CreateLoginProfile', { userName: 'eve' }, ['changed user/eve']],
    ['UpdateLoginProfile', { userName: 'eve' }, ['changed user/eve']],
    [
      'AttachUserPolicy',
      { userName: 'eve', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
      ['changed user/eve'],
    ],
    [
      'PutUserPermissionsBoundary',
      { userName: 'eve', permissionsBoundary: 'arn:aws:iam::aws:policy/X' },
      ['changed user/eve'],
    ],
    [
      'AttachRolePolicy',
      { roleName: 'Ops', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
      ['changed role/Ops'],
    ],
    ['DeleteRolePolicy', { roleName: 'Ops', policyName: 'p' }, ['changed role/Ops']],
    ['DeleteUser', { userName: 'eve' }, ['deleted user/eve']],
    ['DeleteRole', { roleName: 'Ops' }, ['deleted role/Ops']],
    ['AddUserToGroup', { userName: 'eve', groupName: 'admins' }, ['changed group/admins', 'changed user/eve']],
    [
      'SetDefaultPolicyVersion',
      { policyArn: 'arn:aws:iam::111122223333:policy/p', versionId: 'v2' },
      ['changed policy/p'],
    ],
    [
      'AddRoleToInstanceProfile',
      { roleName: 'Ops', instanceProfileName: 'web' },
      ['changed instance-profile/web', 'changed role/Ops'],
    ],
  ])('reads %s', (eventName, requestParameters, wanted) => {
    const found = edges(call(eventName, { ...iam, requestParameters }));

    expect(found).toEqual(wanted.map((edge) => edge.replace(' ', ` ${aliceArn} arn:aws:iam::111122223333:`)).sort());
  });

  it('shows the foreign accounts of a trust policy, URL-encoded or not', () => {
    const policy =
      '{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::777788889999:root","111122223333"]},"Action":"sts:AssumeRole"}]}';
    for (const policyDocument of [policy, encodeURIComponent(policy)]) {
      const item = call('UpdateAssumeRolePolicy', { ...iam, requestParameters: { roleName: 'Ops', policyDocument } });

      expect(edges(item)).toEqual([
        `changed ${aliceArn} 777788889999`,
        `changed ${aliceArn} arn:aws:iam::111122223333:role/Ops`,
      ]);
    }
  });

  it('keeps users of the same name in different accounts apart', () => {
    const other = call('CreateLoginProfile', {
      ...iam,
      recipientAccountId: '444455556666',
      userIdentity: user('alice', '444455556666'),
      requestParameters: { userName: 'eve' },
    });

    expect(edges(other)).toEqual(['changed arn:aws:iam::444455556666:user/alice arn:aws:iam::444455556666:user/eve']);
  });

  it('builds ARNs in the record’s partition', () => {
    const item = call('CreateLoginProfile', {
      ...iam,
      awsRegion: 'cn-north-1',
      userIdentity: user('alice', '111122223333', undefined, 'aws-cn'),
      requestParameters: { userName: 'eve' },
    });

    expect(edges(item)).toEqual([
      'changed arn:aws-cn:iam::111122223333:user/alice arn:aws-cn:iam::111122223333:user/eve',
    ]);
  });
});

describe('resources', () => {
  it('counts every instance of a launch, and its network interfaces, but not what it only names', () => {
    const instance = (n: number) => ({
      instanceId: `i-0ba42452619fc45a${n}`,
      imageId: 'ami-0123456789abcdef0',
      vpcId: 'vpc-0123456789abcdef0',
      networkInterfaceSet: { items: [{ networkInterfaceId: `eni-0ba42452619fc45a${n}` }] },
    });
    const item = call('RunInstances', {
      requestParameters: {
        instancesSet: { items: [{ imageId: 'ami-0123456789abcdef0' }] },
        subnetId: 'subnet-0123456789abcdef0',
      },
      responseElements: {
        reservationId: 'r-0123456789abcdef0',
        instancesSet: { items: [instance(1), instance(2), instance(3)] },
      },
    });

    expect(edges(item)).toEqual(
      [
        'eni-0ba42452619fc45a1',
        'eni-0ba42452619fc45a2',
        'eni-0ba42452619fc45a3',
        'i-0ba42452619fc45a1',
        'i-0ba42452619fc45a2',
        'i-0ba42452619fc45a3',
      ].map((id) => `created ${aliceArn} ${id}`),
    );
    expect(linksOf(item).nodes).toContainEqual({ kind: 'resource', id: 'ami-0123456789abcdef0' });
  });

  it('names the instances of a describing call without an edge', () => {
    const item = call('DescribeInstances', {
      readOnly: true,
      requestParameters: { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45aa' }] } },
    });

    expect(linksOf(item).nodes).toContainEqual({ kind: 'resource', id: 'i-0ba42452619fc45aa' });
    expect(edges(item)).toEqual([]);
  });

  it.each([
    [
      'ec2',
      'TerminateInstances',
      { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45aa' }] } },
      null,
      'deleted i-0ba42452619fc45aa',
    ],
    [
      'ec2',
      'StopInstances',
      { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45aa' }] } },
      null,
      'changed i-0ba42452619fc45aa',
    ],
    [
      'ec2',
      'DeleteFlowLogs',
      { DeleteFlowLogsRequest: { FlowLogId: { content: 'fl-0ba42452619fc45aa', tag: 1 } } },
      null,
      'deleted fl-0ba42452619fc45aa',
    ],
    [
      'ec2',
      'AuthorizeSecurityGroupIngress',
      {
        groupId: 'sg-0683fcf7a41c82593',
        ipPermissions: { items: [{ groups: { items: [{ groupId: 'sg-1a2b3c4d' }] } }] },
      },
      null,
      'changed sg-0683fcf7a41c82593',
    ],
    [
      'ec2',
      'CreateSecurityGroup',
      { groupName: 'x', vpcId: 'vpc-0123456789abcdef0' },
      { groupId: 'sg-0683fcf7a41c82593' },
      'created sg-0683fcf7a41c82593',
    ],
    [
      'ec2',
      'CreateSnapshot',
      { volumeId: 'vol-0123456789abcdef0' },
      { snapshotId: 'snap-0123456789abcdef0', volumeId: 'vol-0123456789abcdef0' },
      'created snap-0123456789abcdef0',
    ],
    ['ec2', 'ImportKeyPair', { keyName: 'k' }, null, 'created arn:aws:ec2:us-east-1:111122223333:key-pair/k'],
    [
      'ssm',
      'PutParameter',
      { name: '/app/key', type: 'SecureString' },
      { version: 1, tier: 'Standard' },
      'created arn:aws:ssm:us-east-1:111122223333:parameter/app/key',
    ],
    [
      'ssm',
      'PutParameter',
      { name: 'plain', overwrite: true },
      { version: 7, tier: 'Standard' },
      'changed arn:aws:ssm:us-east-1:111122223333:parameter/plain',
    ],
    ['ssm', 'PutParameter', { name: 'plain' }, null, 'created arn:aws:ssm:us-east-1:111122223333:parameter/plain'],
    [
      'ssm',
      'DeleteParameters',
      { names: ['plain'] },
      null,
      'deleted arn:aws:ssm:us-east-1:111122223333:parameter/plain',
    ],
    ['s3', 'PutBucketPolicy', { bucketName: 'b', Host: 'b.s3.amazonaws.com' }, null, 'changed arn:aws:s3:::b'],
    ['s3', 'CreateBucket', { bucketName: 'b' }, null, 'created arn:aws:s3:::b'],
    [
      'cloudtrail',
      'StopLogging',
      { name: 'main' },
      null,
      'changed arn:aws:cloudtrail:us-east-1:111122223333:trail/main',
    ],
    [
      'cloudtrail',
      'DeleteTrail',
      { name: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/main' },
      null,
      'deleted arn:aws:cloudtrail:us-east-1:111122223333:trail/main',
    ],
    [
      'guardduty',
      'DeleteDetector',
      { detectorId: '12abc34d567e8fa901bc2d34e56789f0' },
      null,
      'deleted 12abc34d567e8fa901bc2d34e56789f0',
    ],
    [
      'lambda',
      'CreateFunction20150331',
      { functionName: 'f', role: 'arn:aws:iam::111122223333:role/Fn' },
      {
        functionArn: 'arn:aws:lambda:us-east-1:111122223333:function:f',
        functionName: 'f',
        role: 'arn:aws:iam::111122223333:role/Fn',
      },
      'created arn:aws:lambda:us-east-1:111122223333:function:f',
    ],
    [
      'lambda',
      'AddPermission20150331v2',
      { functionName: 'f', principal: '*' },
      null,
      'changed arn:aws:lambda:us-east-1:111122223333:function:f',
    ],
    [
      'lambda',
      'UpdateFunctionCode20150331v2',
      { functionName: 'arn:aws:lambda:us-east-1:111122223333:function:f:3' },
      null,
      'changed arn:aws:lambda:us-east-1:111122223333:function:f',
    ],
    [
      'ecs',
      'RegisterTaskDefinition',
      { family: 'miner' },
      {
        taskDefinition: {
          taskDefinitionArn: 'arn:aws:ecs:us-east-1:111122223333:task-definition/miner:1',
          taskRoleArn: 'arn:aws:iam::111122223333:role/T',
        },
      },
      'created arn:aws:ecs:us-east-1:111122223333:task-definition/miner:1',
    ],
    [
      'ecs',
      'RunTask',
      { cluster: 'c', taskDefinition: 'miner' },
      {
        tasks: [
          {
            taskArn: 'arn:aws:ecs:us-east-1:111122223333:task/c/1',
            clusterArn: 'arn:aws:ecs:us-east-1:111122223333:cluster/c',
            taskDefinitionArn: 'arn:aws:ecs:us-east-1:111122223333:task-definition/miner:1',
          },
        ],
      },
      'created arn:aws:ecs:us-east-1:111122223333:task/c/1',
    ],
    [
      'ses',
      'CreateEmailIdentity',
      { emailIdentity: 'x@example.com' },
      null,
      'created arn:aws:ses:us-east-1:111122223333:identity/x@example.com',
    ],
    [
      'ssm',
      'SendCommand',
      { instanceIds: ['i-0ba42452619fc45aa'], documentName: 'AWS-RunShellScript' },
      null,
      'changed i-0ba42452619fc45aa',
    ],
    [
      'ec2-instance-connect',
      'SendSSHPublicKey',
      { instanceId: 'i-0ba42452619fc45aa' },
      null,
      'changed i-0ba42452619fc45aa',
    ],
    [
      'rolesanywhere',
      'CreateTrustAnchor',
      { name: 'x' },
      {
        trustAnchor: {
          trustAnchorArn: 'arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/1',
          trustAnchorId: '1',
        },
      },
      'created arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/1',
    ],
  ])('reads %s %s', (service, eventName, requestParameters, responseElements, wanted) => {
    const [kind, id] = wanted.split(' ');

    expect(
      edges(call(eventName, { eventSource: `${service}.amazonaws.com`, requestParameters, responseElements })),
    ).toEqual([`${kind} ${aliceArn} ${id}`]);
  });

  it('counts a key pair once, and knows it by its id as well', () => {
    const item = call('CreateKeyPair', {
      eventSource: 'ec2.amazonaws.com',
      requestParameters: { keyName: 'k' },
      responseElements: { keyName: 'k', keyPairId: 'key-0b7c7e5f6a1d2c3b4', keyFingerprint: '1f:51' },
    });
    const pair = 'arn:aws:ec2:us-east-1:111122223333:key-pair/k';

    expect(edges(item)).toEqual([`created ${aliceArn} ${pair}`, `same-as key-0b7c7e5f6a1d2c3b4 ${pair}`]);
    for (const id of [pair, 'key-0b7c7e5f6a1d2c3b4']) expect(creationsOf(id, [item])).toHaveLength(1);
  });

  it('ties a new member account to the request that asked for it', () => {
    const asked = call('CreateAccount', {
      eventSource: 'organizations.amazonaws.com',
      responseElements: { createAccountStatus: { id: 'car-0123456789abcdef' } },
    });
    const done = call('CreateAccountResult', {
      eventSource: 'organizations.amazonaws.com',
      userIdentity: { accountId: '111122223333', invokedBy: 'AWS Internal' },
      serviceEventDetails: {
        createAccountStatus: { id: 'car-0123456789abcdef', state: 'SUCCEEDED', accountId: '444455556666' },
      },
    });

    expect(edges(asked)).toEqual([`created ${aliceArn} car-0123456789abcdef`]);
    expect(edges(done)).toEqual(['created car-0123456789abcdef 444455556666']);
  });

  it('makes no edge for calls that failed or were dry runs', () => {
    for (const errorCode of ['AccessDenied', 'Client.DryRunOperation', 'Client.InstanceLimitExceeded']) {
      const item = call('TerminateInstances', {
        errorCode,
        requestParameters: { instancesSet: { items: [{ instanceId: 'i-0ba42452619fc45aa' }] } },
      });

      expect(edges(item)).toEqual([]);
    }
  });
});

describe('callers', () => {
  it.each([
    [
      { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
      { kind: 'service', id: 'ec2.amazonaws.com' },
    ],
    [
      { type: 'AWSAccount', accountId: '777788889999', principalId: 'AROAQNZGKIQY56JQ7WML:x' },
      { kind: 'account', id: '777788889999' },
    ],
    [
      {
        type: 'WebIdentityUser',
        identityProvider: 'token.actions.githubusercontent.com',
        principalId: 'token.actions.githubusercontent.com:aud:repo:o/r',
        userName: 'repo:o/r',
      },
      { kind: 'federatedUser', id: 'token.actions.githubusercontent.com:aud:repo:o/r' },
    ],
    [
      { type: 'SAMLUser', identityProvider: 'abc', principalId: 'SAMPLE:bob' },
      { kind: 'federatedUser', id: 'abc:SAMPLE:bob' },
    ],
    [
      {
        type: 'IdentityCenterUser',
        onBehalfOf: { userId: '544894e8', identityStoreArn: 'arn:aws:identitystore::1:identitystore/d' },
      },
      { kind: 'federatedUser', id: '544894e8' },
    ],
    [
      { type: 'Root', accountId: '111122223333', principalId: '111122223333' },
      { kind: 'root', id: 'arn:aws:iam::111122223333:root' },
    ],
  ])('knows %j', (userIdentity, node) => {
    expect(linksOf(call('X', { userIdentity })).nodes).toContainEqual(node);
  });

  it.each([{ type: 'Unknown' }, { type: 'Directory', userName: 'x' }, {}, null, 'text', { arn: 5, type: [] }])(
    'survives %j',
    (userIdentity) => {
      expect(linksOf(call('X', { userIdentity, resources: [null, { ARN: 7 }] })).edges).toEqual([]);
    },
  );

  it('finds the user of a failed sign-in without tying it to the address', () => {
    const item = call('ConsoleLogin', {
      eventSource: 'signin.amazonaws.com',
      sourceIPAddress: '198.51.100.7',
      userIdentity: { type: 'IAMUser', accountId: '111122223333', accessKeyId: '', userName: 'alice' },
      errorMessage: 'Failed authentication',
      responseElements: { ConsoleLogin: 'Failure' },
    });

    expect(linksOf(item).nodes).toContainEqual({ kind: 'user', id: aliceArn });
    expect(edges(item)).toEqual([]);
  });
});

describe('who is behind a session', () => {
  const hop = (fields: Raw): Raw => ({
    ...session('Hop', 'x9', '333344445555', 'ASIAHOP'),
    ...fields,
  });
  const hopArn = 'arn:aws:sts::333344445555:assumed-role/Hop/x9';

  it('is the source identity, which every later hop carries', () => {
    const context = { sourceIdentity: 'carol@corp.example' };
    const own = session('Hop', 'x9', '333344445555', 'ASIAHOP');
    const acting = record({
      eventName: 'DescribeInstances',
      userIdentity: { ...own, sessionContext: { ...(own.sessionContext as Raw), ...context } },
      sourceIPAddress: '198.51.100.7',
    });
    const handing = call('AssumeRole', {
      eventSource: 'sts.amazonaws.com',
      requestParameters: { roleArn: 'arn:aws:iam::333344445555:role/Hop', roleSessionName: 'x9', ...context },
      responseElements: { assumedRoleUser: { arn: hopArn }, credentials: { accessKeyId: 'ASIAHOP' }, ...context },
    });

    for (const item of [acting, handing]) {
      expect(edges(item)).toContain(`runs-as source-identity:carol@corp.example ${hopArn}`);
    }
  });

  it('is whoever switched to the role in the console, where the switch went well', () => {
    const switched = (responseElements: Raw, more: Raw = {}) =>
      record({
        eventName: 'SwitchRole',
        eventSource: 'signin.amazonaws.com',
        userIdentity: hop({}),
        additionalEventData: { SwitchFrom: 'arn:aws:iam::111122223333:user/bob', RedirectTo: 'https://x' },
        responseElements,
        sourceIPAddress: '198.51.100.7',
        ...more,
      });

    expect(edges(switched({ SwitchRole: 'Success' }))).toContain(
      `assumed arn:aws:iam::111122223333:user/bob ${hopArn}`,
    );
    expect(edges(switched({}, { errorMessage: 'Failed' })).join()).not.toContain('user/bob');
  });

  it('is the Identity Center person on whose behalf it acts', () => {
    const onBehalfOf = {
      userId: '544894e8-80c1-707f-60e3-3ba6510dfac1',
      identityStoreArn: 'arn:aws:identitystore::1:x',
    };
    const item = record({ eventName: 'Query', userIdentity: hop({ onBehalfOf }), sourceIPAddress: '198.51.100.7' });

    expect(edges(item)).toContain(`assumed ${onBehalfOf.userId} ${hopArn}`);
  });

  it('is the function that Lambda took the role for, and nobody who only names the session so', () => {
    const taking = (userIdentity: Raw) =>
      record({
        eventName: 'AssumeRole',
        eventSource: 'sts.amazonaws.com',
        awsRegion: 'us-west-2',
        userIdentity,
        sourceIPAddress: 'lambda.amazonaws.com',
        requestParameters: { roleArn: 'arn:aws:iam::333344445555:role/Hop', roleSessionName: 'nightly' },
        responseElements: { credentials: { accessKeyId: 'ASIALAMBDA' } },
      });
    const wanted =
      'runs-as arn:aws:lambda:us-west-2:333344445555:function:nightly arn:aws:sts::333344445555:assumed-role/Hop/nightly';

    expect(edges(taking({ type: 'AWSService', invokedBy: 'lambda.amazonaws.com' }))).toContain(wanted);
    expect(edges(taking({ ...user('alice', '111122223333') })).join()).not.toContain('function');
  });

  it('is the function to which the credentials were issued, not what called it', () => {
    const inScopeOf = {
      sourceArn: 'arn:aws:events:us-east-1:333344445555:rule/tick',
      credentialsIssuedTo: 'arn:aws:lambda:us-east-1:333344445555:function:nightly',
    };
    const item = record({
      eventName: 'ListBuckets',
      userIdentity: hop({ inScopeOf }),
      sourceIPAddress: '198.51.100.7',
    });

    expect(edges(item)).toContain(`runs-as ${inScopeOf.credentialsIssuedTo} ${hopArn}`);
    expect(edges(item).join()).not.toContain('rule/tick');
  });
});

it.each([
  [
    'CreateSession',
    'rolesanywhere.amazonaws.com',
    'arn:aws:rolesanywhere:us-east-1:111122223333:subject/s1',
    (assumedRoleUser: Raw, credentials: Raw) => ({
      credentialSet: [{ assumedRoleUser, credentials, roleArn: 'arn:aws:iam::111122223333:role/OnPrem' }],
      subjectArn: 'arn:aws:rolesanywhere:us-east-1:111122223333:subject/s1',
    }),
  ],
  [
    'AssumeRoleForPodIdentity',
    'eks-auth.amazonaws.com',
    'arn:aws:eks:us-east-1:111122223333:podidentityassociation/c1/a-abcdefghijklmnop1',
    (assumedRoleUser: Raw, credentials: Raw) => ({
      assumedRoleUser,
      credentials,
      podIdentityAssociation: {
        associationArn: 'arn:aws:eks:us-east-1:111122223333:podidentityassociation/c1/a-abcdefghijklmnop1',
      },
    }),
  ],
])('%s hands out a session to whom its answer names', (eventName, eventSource, bearer, answer) => {
  const given = 'arn:aws:sts::111122223333:assumed-role/OnPrem/host-1';
  const key = 'ASIAQNZGKIQY56JQ7WML';
  const item = call(eventName, {
    eventSource,
    userIdentity: { type: 'Unknown', accountId: '111122223333' },
    responseElements: answer({ arn: given }, { accessKeyId: key, expiration: '2026-11-20T23:00:00Z' }),
  });

  expect(edges(item)).toEqual([
    `assumed ${bearer} ${given}`,
    `assumed ${given} arn:aws:iam::111122223333:role/OnPrem`,
    `minted ${bearer} ${key}`,
    `runs-as ${bearer} ${given}`,
  ]);
  expect(mintingOf(item)).toMatchObject({ by: bearer, identity: given, accessKey: key });
  expect(creationsOf(key, [item])).toMatchObject([{ creator: bearer, eventName }]);
});

it('takes only principals that are allowed for accounts that are let in, not numbers in conditions', () => {
  const policy = {
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: ['arn:aws:iam::777788889999:user/evil', '888899990000'], Service: 'ec2.amazonaws.com' },
        Condition: { StringEquals: { 'sts:ExternalId': '123456789012' } },
      },
      { Effect: 'Deny', Principal: { AWS: '999900001111' } },
    ],
  };
  const item = call('UpdateAssumeRolePolicy', {
    eventSource: 'iam.amazonaws.com',
    requestParameters: { roleName: 'Ops', policyDocument: encodeURIComponent(JSON.stringify(policy)) },
  });

  expect(edges(item)).toEqual([
    `changed ${aliceArn} 777788889999`,
    `changed ${aliceArn} 888899990000`,
    `changed ${aliceArn} arn:aws:iam::111122223333:role/Ops`,
  ]);
});
