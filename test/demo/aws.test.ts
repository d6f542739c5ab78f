import { AccountClient, ListRegionsCommand } from '@aws-sdk/client-account';
import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandInput,
} from '@aws-sdk/client-cloudtrail';
import {
  DescribeInstanceAttributeCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetLoginProfileCommand,
  GetRoleCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListUserPoliciesCommand,
  ListUsersCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { storyFindings } from '../../demo/aws/findings.ts';
import { accountInId, uniqueId } from '../../demo/aws/ids.ts';
import { evaluate, parsePolicy } from '../../demo/aws/policy.ts';
import { type DemoAws, type DemoAwsOptions, startDemoAws } from '../../demo/aws/server.ts';
import { minerInstances, minerUserData, noticedInstances } from '../../demo/aws/stories/s3.ts';
import { createTrail } from '../../demo/aws/trail.ts';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const running: DemoAws[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((aws) => aws.close()));
});

async function start(options: DemoAwsOptions = { story: 'empty' }): Promise<DemoAws> {
  const aws = await startDemoAws({ lookupRatePerSecond: 10_000, ...options });
  running.push(aws);
  return aws;
}

function clients(aws: DemoAws, credentials: Credentials, region = 'us-east-1') {
  const config = { endpoint: aws.url, region, credentials, maxAttempts: 1 };
  return {
    sts: new STSClient(config),
    iam: new IAMClient(config),
    ec2: new EC2Client(config),
    cloudtrail: new CloudTrailClient(config),
    account: new AccountClient(config),
  };
}

function responderInput(aws: DemoAws, more: Partial<AssumeRoleCommandInput> = {}): AssumeRoleCommandInput {
  return {
    RoleArn: aws.accounts.workshop.responderRole,
    RoleSessionName: 'ir-case1-plan1',
    ExternalId: aws.accounts.workshop.externalId,
    SourceIdentity: 'ir-U0RESPONDER',
    DurationSeconds: 900,
    Tags: ['ir-case', 'ir-plan', 'ir-requester', 'ir-approver'].map((Key) => ({ Key, Value: `${Key} é+value` })),
    ...more,
  };
}

async function assume(aws: DemoAws, input: AssumeRoleCommandInput, as: Credentials = aws.credentials.hub) {
  const { Credentials: got } = await clients(aws, as).sts.send(new AssumeRoleCommand(input));
  return {
    accessKeyId: got?.AccessKeyId ?? '',
    secretAccessKey: got?.SecretAccessKey ?? '',
    sessionToken: got?.SessionToken ?? '',
  };
}

function audit(aws: DemoAws, as: Credentials = aws.credentials.hubReader) {
  const { auditRole, externalId } = aws.accounts.workshop;
  return assume(aws, { RoleArn: auditRole, RoleSessionName: 'firebreak', ExternalId: externalId }, as);
}

/** All pages of a question. */
async function lookUp(aws: DemoAws, credentials: Credentials, input: LookupEventsCommandInput, region = 'us-east-1') {
  const { cloudtrail } = clients(aws, credentials, region);
  const events: Event[] = [];
  let token: string | undefined;
  do {
    const page = await cloudtrail.send(new LookupEventsCommand({ ...input, NextToken: token }));
    events.push(...(page.Events ?? []));
    token = page.NextToken;
  } while (token !== undefined);
  return events;
}

async function refusal(promise: Promise<unknown>): Promise<{ name: string; message: string; status: number }> {
  const error = (await promise.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  )) as Error & { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode ?? 0 };
}

describe('signatures', () => {
  test('a wrong secret, an unknown key and no key are refused as each service words it', async () => {
    const aws = await start();
    const wrong = { ...aws.credentials.hub, secretAccessKey: 'not the secret' };
    const unknown = { ...aws.credentials.hub, accessKeyId: 'AKIAQQQQQQQQQQQQQQQQ' };

    expect(await refusal(clients(aws, wrong).sts.send(new GetCallerIdentityCommand({})))).toMatchObject({
      name: 'SignatureDoesNotMatch',
      status: 403,
    });
    expect(await refusal(clients(aws, unknown).iam.send(new ListUsersCommand({})))).toMatchObject({
      name: 'InvalidClientTokenId',
      status: 403,
    });
    expect(await refusal(clients(aws, unknown).ec2.send(new DescribeInstancesCommand({})))).toMatchObject({
      name: 'AuthFailure',
      status: 401,
    });
    expect(await refusal(clients(aws, wrong).cloudtrail.send(new LookupEventsCommand({})))).toMatchObject({
      name: 'InvalidSignatureException',
    });
    expect(await refusal(clients(aws, unknown).account.send(new ListRegionsCommand({})))).toMatchObject({
      name: 'UnrecognizedClientException',
    });
    const bare = await fetch(aws.url, { method: 'POST', body: 'Action=GetCallerIdentity' });
    expect(bare.status).toBe(403);
    expect(await bare.text()).toContain('<Code>MissingAuthenticationToken</Code>');
    expect(bare.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a temporary key without its session token, or past its end, is refused', async () => {
    let ahead = 0;
    const aws = await start({ story: 'empty', now: () => new Date(Date.now() + ahead) });
    const session = await audit(aws);
    const { sessionToken: _dropped, ...bare } = session;

    expect((await refusal(clients(aws, bare).sts.send(new GetCallerIdentityCommand({})))).name).toBe(
      'InvalidClientTokenId',
    );
    ahead = 3_601_000;
    expect((await refusal(clients(aws, session).sts.send(new GetCallerIdentityCommand({})))).name).toBe('ExpiredToken');
    expect((await refusal(clients(aws, session).cloudtrail.send(new LookupEventsCommand({})))).name).toBe(
      'ExpiredTokenException',
    );
  });

  test('a Region that the account has not enabled does not know its keys', async () => {
    const aws = await start();

    const refused = await refusal(
      clients(aws, aws.credentials.hub, 'ap-east-1').sts.send(new GetCallerIdentityCommand({})),
    );

    expect(refused.name).toBe('InvalidClientTokenId');
  });
});

describe('STS', () => {
  test('tells who calls, whose key it is, and opens a session that outlives its key', async () => {
    const aws = await start();
    const { sts } = clients(aws, aws.credentials.attacker);

    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '999999999999',
      Arn: 'arn:aws:iam::999999999999:user/pipeline',
    });
    const info = await clients(aws, await audit(aws)).sts.send(
      new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }),
    );
    expect(info.Account).toBe('999999999999');

    const { Credentials: got } = await sts.send(new GetSessionTokenCommand({ DurationSeconds: 3600 }));
    const session = {
      accessKeyId: got?.AccessKeyId ?? '',
      secretAccessKey: got?.SecretAccessKey ?? '',
      sessionToken: got?.SessionToken ?? '',
    };
    await clients(aws, aws.credentials.breakGlass).iam.send(
      new UpdateAccessKeyCommand({ UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', Status: 'Inactive' }),
    );
    expect((await clients(aws, session).sts.send(new GetCallerIdentityCommand({}))).Arn).toContain('user/pipeline');
    await clients(aws, session).ec2.send(new DescribeInstancesCommand({}));
    expect((await refusal(clients(aws, session).iam.send(new GetUserCommand({})))).name).toBe('InvalidClientTokenId');
  });

  test('the responder role opens only with external id, source identity and exactly the four tags', async () => {
    const aws = await start();
    const input = responderInput(aws);
    const { sts } = clients(aws, aws.credentials.hub);

    const answer = await sts.send(new AssumeRoleCommand(input));
    expect(answer.AssumedRoleUser?.Arn).toBe('arn:aws:sts::999999999999:assumed-role/IrResponder/ir-case1-plan1');
    expect(answer.SourceIdentity).toBe('ir-U0RESPONDER');
    const { ExternalId: _externalId, ...noExternalId } = input;
    const { SourceIdentity: _sourceIdentity, ...noSource } = input;
    const wrong: readonly AssumeRoleCommandInput[] = [
      noExternalId,
      noSource,
      { ...input, ExternalId: 'guess' },
      { ...input, SourceIdentity: 'somebody' },
      { ...input, Tags: input.Tags?.slice(1) },
      { ...input, Tags: [...(input.Tags ?? []), { Key: 'more', Value: 'x' }] },
      { ...input, RoleArn: 'arn:aws:iam::999999999999:role/ir/NoSuchRole' },
      { ...input, RoleArn: 'arn:aws:iam::999999999999:role/DevOps' },
    ];
    for (const request of wrong) {
      const refused = await refusal(sts.send(new AssumeRoleCommand(request)));
      expect(refused).toMatchObject({ name: 'AccessDenied', status: 403 });
      expect(refused.message).toContain(
        'User: arn:aws:iam::888877776666:user/ir/firebreak is not authorized to perform: sts:AssumeRole on resource: ',
      );
    }
    const reader = clients(aws, aws.credentials.hubReader).sts;
    expect((await refusal(reader.send(new AssumeRoleCommand(input)))).name).toBe('AccessDenied');
  });

  test('a session policy narrows the role, and one of 2,049 characters or bad JSON is refused', async () => {
    const aws = await start();
    const key = { UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    const user = 'arn:aws:iam::999999999999:user/pipeline';
    const policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['iam:UpdateAccessKey', 'iam:ListAccessKeys'], Resource: user },
        { Effect: 'Allow', Action: ['iam:ListAttachedUserPolicies', 'iam:CreateUser'], Resource: '*' },
      ],
    };
    const session = await assume(aws, responderInput(aws, { Policy: JSON.stringify(policy) }));
    const { iam } = clients(aws, session);

    await iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
    expect((await iam.send(new ListAccessKeysCommand(key))).AccessKeyMetadata?.[0]?.Status).toBe('Inactive');
    expect((await iam.send(new ListAttachedUserPoliciesCommand(key))).AttachedPolicies).toHaveLength(2);
    expect(await refusal(iam.send(new ListAccessKeysCommand({ UserName: 'reporting' })))).toMatchObject({
      name: 'AccessDenied',
      message:
        'User: arn:aws:sts::999999999999:assumed-role/IrResponder/ir-case1-plan1 is not authorized to perform: iam:ListAccessKeys on resource: user reporting because no session policy allows the iam:ListAccessKeys action',
    });
    // The session policy cannot add what the role has not.
    expect((await refusal(iam.send(new CreateUserCommand({ UserName: 'x' })))).message).toContain(
      'because no identity-based policy allows the iam:CreateUser action',
    );
    const protectedUser = new UpdateAccessKeyCommand({
      UserName: 'admin',
      AccessKeyId: 'AKIA0000000000000000',
      Status: 'Inactive',
    });
    const whole = clients(aws, await assume(aws, responderInput(aws))).iam;
    expect((await refusal(whole.send(protectedUser))).message).toContain(
      'with an explicit deny in an identity-based policy',
    );
    const long = responderInput(aws, { Policy: JSON.stringify(policy).padEnd(2049) });
    expect((await refusal(assume(aws, long))).name).toBe('ValidationError');
    expect((await refusal(assume(aws, responderInput(aws, { Policy: '{' })))).name).toBe(
      'MalformedPolicyDocumentException',
    );
    expect((await refusal(assume(aws, responderInput(aws, { DurationSeconds: 7200 })))).name).toBe('ValidationError');
  });
});

describe('IAM', () => {
  test('a disabled key stops working, reads show it at once, and undo brings it back', async () => {
    const aws = await start();
    const responder = clients(aws, await assume(aws, responderInput(aws))).iam;
    const attacker = clients(aws, aws.credentials.attacker);
    const key = { UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    await attacker.ec2.send(new DescribeInstancesCommand({}));

    const written = await responder.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
    expect(written.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await responder.send(new ListAccessKeysCommand(key))).AccessKeyMetadata?.[0]?.Status).toBe('Inactive');
    expect((await refusal(attacker.sts.send(new GetCallerIdentityCommand({})))).name).toBe('InvalidClientTokenId');
    expect((await refusal(attacker.ec2.send(new DescribeInstancesCommand({})))).name).toBe('AuthFailure');
    await clients(aws, aws.credentials.bystander).sts.send(new GetCallerIdentityCommand({}));

    await responder.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }));
    await attacker.sts.send(new GetCallerIdentityCommand({}));
  });

  test('authorisation lags behind the read by iamDelayMs', async () => {
    let ahead = 0;
    const aws = await start({ story: 'empty', iamDelayMs: 3000, now: () => new Date(Date.now() + ahead) });
    const admin = clients(aws, aws.credentials.breakGlass).iam;
    const attacker = clients(aws, aws.credentials.attacker).sts;
    const key = { UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' };

    await admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));

    expect((await admin.send(new ListAccessKeysCommand(key))).AccessKeyMetadata?.[0]?.Status).toBe('Inactive');
    await attacker.send(new GetCallerIdentityCommand({}));
    ahead = 3001;
    expect((await refusal(attacker.send(new GetCallerIdentityCommand({})))).name).toBe('InvalidClientTokenId');
  });

  test('answers every read that an investigation asks', async () => {
    const aws = await start();
    const { iam } = clients(aws, await audit(aws));
    const UserName = 'pipeline';

    const user = await iam.send(new GetUserCommand({ UserName }));
    expect(user.User?.Arn).toBe('arn:aws:iam::999999999999:user/pipeline');
    expect(user.User?.CreateDate).toBeInstanceOf(Date);
    expect(accountInId(user.User?.UserId ?? '')).toBe('999999999999');
    expect((await iam.send(new ListUsersCommand({}))).Users?.map((one) => one.UserName)).toContain('reporting');
    const attached = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    expect(attached.AttachedPolicies?.[0]?.PolicyName).toBe('SystemIntegrationPolicy');
    expect((await iam.send(new ListUserPoliciesCommand({ UserName }))).PolicyNames).toEqual([]);
    const inline = await iam.send(new GetUserPolicyCommand({ UserName: 'reporting', PolicyName: 'ReportingReads' }));
    expect(JSON.parse(decodeURIComponent(inline.PolicyDocument ?? ''))).toHaveProperty('Statement');
    expect((await iam.send(new ListMFADevicesCommand({ UserName: 'JaneDoe' }))).MFADevices).toHaveLength(1);
    expect((await iam.send(new ListGroupsForUserCommand({ UserName }))).Groups).toEqual([]);
    const profile = await iam.send(new GetLoginProfileCommand({ UserName: 'JaneDoe' }));
    expect(profile.LoginProfile?.PasswordResetRequired).toBe(false);
    expect((await refusal(iam.send(new GetLoginProfileCommand({ UserName })))).name).toBe('NoSuchEntityException');
    expect(await refusal(iam.send(new GetUserCommand({ UserName: 'nobody' })))).toMatchObject({
      name: 'NoSuchEntityException',
      status: 404,
      message: 'The user with name nobody cannot be found.',
    });
    const role = await iam.send(new GetRoleCommand({ RoleName: 'IrResponder' }));
    expect(decodeURIComponent(role.Role?.AssumeRolePolicyDocument ?? '')).toContain('sts:SourceIdentity');
    const unused = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }));
    expect(unused.AccessKeyLastUsed).toMatchObject({ ServiceName: 'N/A', Region: 'N/A' });
    expect(
      (
        await refusal(
          iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', Status: 'Inactive' })),
        )
      ).name,
    ).toBe('AccessDenied');
  });

  test('pages, and makes users and keys for whoever may', async () => {
    const aws = await start();
    const { iam } = clients(aws, aws.credentials.attacker);

    await iam.send(new CreateUserCommand({ UserName: 'backup-svc' }));
    const made = await iam.send(new CreateAccessKeyCommand({ UserName: 'backup-svc' }));
    await iam.send(new CreateAccessKeyCommand({ UserName: 'backup-svc' }));
    expect((await refusal(iam.send(new CreateAccessKeyCommand({ UserName: 'backup-svc' })))).name).toBe(
      'LimitExceededException',
    );
    expect((await refusal(iam.send(new CreateUserCommand({ UserName: 'backup-svc' })))).name).toBe(
      'EntityAlreadyExistsException',
    );
    const first = await iam.send(new ListAccessKeysCommand({ UserName: 'backup-svc', MaxItems: 1 }));
    expect(first).toMatchObject({ IsTruncated: true });
    const second = await iam.send(
      new ListAccessKeysCommand({ UserName: 'backup-svc', MaxItems: 1, Marker: first.Marker }),
    );
    expect(second.IsTruncated).toBe(false);
    expect(second.AccessKeyMetadata?.[0]?.AccessKeyId).not.toBe(first.AccessKeyMetadata?.[0]?.AccessKeyId);
    const fresh = {
      accessKeyId: made.AccessKey?.AccessKeyId ?? '',
      secretAccessKey: made.AccessKey?.SecretAccessKey ?? '',
    };
    expect((await clients(aws, fresh).sts.send(new GetCallerIdentityCommand({}))).Arn).toContain('user/backup-svc');
    const admin = clients(aws, aws.credentials.breakGlass).iam;
    await admin.send(new DeleteAccessKeyCommand({ UserName: 'backup-svc', AccessKeyId: fresh.accessKeyId }));
    expect((await refusal(clients(aws, fresh).sts.send(new GetCallerIdentityCommand({})))).name).toBe(
      'InvalidClientTokenId',
    );
  });
});

describe('EC2', () => {
  test('describes the story by id, by filter and by page, and reads the user data', async () => {
    const aws = await start({ backgroundEvents: 0 });
    const { ec2 } = clients(aws, await audit(aws));

    const mined = await ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: 'instance-type', Values: ['t2.*'] }] }),
    );
    const instances = mined.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? [];
    expect(mined.Reservations).toHaveLength(7);
    expect(instances.map((one) => one.InstanceId).sort()).toEqual([...minerInstances].sort());
    expect(instances.every((one) => one.State?.Name === 'running' && one.IamInstanceProfile === undefined)).toBe(true);
    const [id = ''] = minerInstances;
    const byId = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(byId.Reservations?.[0]?.Instances?.[0]?.LaunchTime).toBeInstanceOf(Date);
    const page = await ec2.send(new DescribeInstancesCommand({ MaxResults: 5 }));
    expect(page.Reservations?.flatMap((one) => one.Instances ?? [])).toHaveLength(5);
    const rest = await ec2.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken: page.NextToken }));
    expect(rest.Reservations?.flatMap((one) => one.Instances ?? [])).toHaveLength(5);
    const status = await ec2.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] }));
    expect(status.InstanceStatuses?.[0]?.InstanceState?.Name).toBe('running');
    const data = await ec2.send(new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }));
    expect(Buffer.from(data.UserData?.Value ?? '', 'base64').toString()).toBe(minerUserData);
    expect(
      await refusal(ec2.send(new DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] }))),
    ).toMatchObject({
      name: 'InvalidInstanceID.NotFound',
      status: 400,
    });
    expect((await refusal(ec2.send(new DescribeInstancesCommand({ InstanceIds: ['i-021345abcdef678g'] })))).name).toBe(
      'InvalidInstanceID.Malformed',
    );
  });

  test('launches, stops and terminates for whoever may, and lists Regions', async () => {
    const aws = await start();
    const { ec2 } = clients(aws, aws.credentials.attacker);
    const run = {
      ImageId: 'ami-0c2b8ca1dad447f8a',
      InstanceType: 't2.nano' as const,
      MinCount: 2,
      MaxCount: 2,
      UserData: 'aGk=',
    };

    const made = await ec2.send(new RunInstancesCommand(run));
    const InstanceIds = made.Instances?.map((one) => one.InstanceId ?? '') ?? [];
    expect(InstanceIds).toHaveLength(2);
    expect((await refusal(ec2.send(new RunInstancesCommand({ ...run, DryRun: true })))).name).toBe('DryRunOperation');
    const denied = await refusal(ec2.send(new StopInstancesCommand({ InstanceIds })));
    expect(denied).toMatchObject({ name: 'UnauthorizedOperation', status: 403 });
    const admin = clients(aws, aws.credentials.breakGlass).ec2;
    const stopped = await admin.send(new StopInstancesCommand({ InstanceIds }));
    expect(stopped.StoppingInstances?.[0]?.PreviousState?.Name).toBe('running');
    const seen = await admin.send(new DescribeInstancesCommand({ InstanceIds }));
    expect(seen.Reservations?.[0]?.Instances?.map((one) => one.State?.Name)).toEqual(['stopped', 'stopped']);
    const ended = await admin.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(ended.TerminatingInstances?.[0]?.CurrentState?.Name).toBe('shutting-down');
    expect((await admin.send(new DescribeRegionsCommand({}))).Regions).toHaveLength(17);
    expect(aws.trail.find((record) => record.eventName === 'RunInstances')?.requestParameters).toMatchObject({
      userData: '<sensitiveDataRemoved>',
    });
  });
});

describe('Account', () => {
  test('lists 17 enabled Regions, by pages', async () => {
    const aws = await start();
    const { account } = clients(aws, await audit(aws));
    const enabled = {
      RegionOptStatusContains: ['ENABLED' as const, 'ENABLED_BY_DEFAULT' as const, 'ENABLING' as const],
    };

    const first = await account.send(new ListRegionsCommand({ ...enabled, MaxResults: 10 }));
    const second = await account.send(
      new ListRegionsCommand({ ...enabled, MaxResults: 10, NextToken: first.NextToken }),
    );

    expect([...(first.Regions ?? []), ...(second.Regions ?? [])]).toHaveLength(17);
    expect(second.NextToken).toBeUndefined();
    expect(
      (await account.send(new ListRegionsCommand({}))).Regions?.some((one) => one.RegionOptStatus === 'DISABLED'),
    ).toBe(true);
    const { account: attacker } = clients(aws, aws.credentials.attacker);
    expect((await refusal(attacker.send(new ListRegionsCommand({})))).name).toBe('AccessDeniedException');
  });
});

describe('CloudTrail', () => {
  test('records a call in both accounts, with the session token and without the secret, and shows it after trailDelayMs', async () => {
    let ahead = 0;
    const aws = await start({ story: 'empty', trailDelayMs: 2000, now: () => new Date(Date.now() + ahead) });
    const session = await assume(aws, responderInput(aws));
    const key = { UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    await clients(aws, session, 'eu-west-1').iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
    const reader = await audit(aws);

    const question = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: 'UpdateAccessKey' }] };
    expect(await lookUp(aws, reader, question)).toEqual([]);
    ahead = 3000;
    const [event] = await lookUp(aws, reader, question);
    const record = JSON.parse(event?.CloudTrailEvent ?? '');
    expect(record).toMatchObject({
      eventVersion: '1.11',
      awsRegion: 'us-east-1',
      recipientAccountId: '999999999999',
      sourceIPAddress: '192.0.2.25',
      readOnly: false,
      requestParameters: { userName: 'pipeline', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', status: 'Inactive' },
      responseElements: null,
      userIdentity: {
        type: 'AssumedRole',
        arn: 'arn:aws:sts::999999999999:assumed-role/IrResponder/ir-case1-plan1',
        accessKeyId: session.accessKeyId,
        sessionContext: {
          sourceIdentity: 'ir-U0RESPONDER',
          sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::999999999999:role/ir/IrResponder' },
        },
      },
    });
    expect(event).toMatchObject({ Username: 'ir-case1-plan1', ReadOnly: 'false', AccessKeyId: session.accessKeyId });
    const minting = {
      LookupAttributes: [{ AttributeKey: 'ResourceName' as const, AttributeValue: session.accessKeyId }],
    };
    const [minted] = await lookUp(aws, reader, minting);
    const theirs = JSON.parse(minted?.CloudTrailEvent ?? '');
    expect(theirs.userIdentity).toMatchObject({ type: 'AWSAccount', accountId: '888877776666' });
    expect(theirs.responseElements.credentials.sessionToken).toBe(session.sessionToken);
    const ours = aws.trail.find((one) => one.recipientAccountId === '888877776666' && one.eventName === 'AssumeRole');
    expect(ours?.sharedEventID).toBe(theirs.sharedEventID);
    expect(JSON.stringify(aws.trail)).not.toContain(session.secretAccessKey);
  });

  test('a denied call is recorded with its error', async () => {
    const aws = await start();
    await refusal(clients(aws, aws.credentials.bystander).iam.send(new ListUsersCommand({})));
    await refusal(
      clients(aws, aws.credentials.bystander).ec2.send(
        new TerminateInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] }),
      ),
    );

    expect(aws.trail.map((record) => record.errorCode)).toEqual(['AccessDenied', 'Client.UnauthorizedOperation']);
    expect(aws.calls.map((call) => [call.action, call.error])).toEqual([
      ['iam:ListUsers', 'AccessDenied'],
      ['ec2:TerminateInstances', 'UnauthorizedOperation'],
    ]);
  });

  test('takes one attribute, 1 to 50 results, a sane time range, and a token only with the same parameters', async () => {
    const aws = await start({ backgroundEvents: 150 });
    const { cloudtrail } = clients(aws, await audit(aws));
    const byUser = [{ AttributeKey: 'Username' as const, AttributeValue: 'MaryMajor' }];
    async function errorOf(input: LookupEventsCommandInput): Promise<string> {
      return (await refusal(cloudtrail.send(new LookupEventsCommand(input)))).name;
    }

    const page = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: byUser }));

    expect(page.Events).toHaveLength(50);
    const times = page.Events?.map((event) => event.EventTime?.getTime() ?? 0) ?? [];
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(await errorOf({ LookupAttributes: byUser, NextToken: page.NextToken, MaxResults: 10 })).toBe(
      'InvalidNextTokenException',
    );
    expect(await errorOf({ NextToken: page.NextToken })).toBe('InvalidNextTokenException');
    expect(await errorOf({ NextToken: 'made up' })).toBe('InvalidNextTokenException');
    expect(await errorOf({ MaxResults: 51 })).toBe('InvalidMaxResultsException');
    expect(await errorOf({ LookupAttributes: [...byUser, ...byUser] })).toBe('InvalidLookupAttributesException');
    expect(await errorOf({ StartTime: new Date(), EndTime: new Date(0) })).toBe('InvalidTimeRangeException');
    expect((await lookUp(aws, aws.credentials.breakGlass, { LookupAttributes: byUser })).length).toBeGreaterThan(100);
    const lower = [{ AttributeKey: 'Username' as const, AttributeValue: 'marymajor' }];
    expect(await lookUp(aws, aws.credentials.breakGlass, { LookupAttributes: lower })).toEqual([]);
  });

  test('pages lose nothing and repeat nothing while new records arrive', async () => {
    const aws = await start({ backgroundEvents: 300 });
    const reader = await audit(aws);
    const expected = aws.trail.filter(
      (one) => one.awsRegion === 'us-east-1' && one.recipientAccountId === '999999999999',
    );

    // Each page is itself a call that is recorded.
    const events = await lookUp(aws, reader, { EndTime: new Date(Date.now() - 1000), MaxResults: 37 });

    const ids = events.map((event) => event.EventId);
    expect(new Set(ids).size).toBe(ids.length);
    const old = expected.filter((one) => Date.parse(one.eventTime) < Date.now() - 60_000).map((one) => one.eventID);
    expect(old.every((id) => ids.includes(id))).toBe(true);
  });

  test('records that are written late stand where their time puts them', async () => {
    const aws = await start({ backgroundEvents: 0 });
    const [record] = aws.trail;
    if (record === undefined) throw new Error('the story has no records');
    const trail = createTrail();

    for (const second of ['03', '01', '02', '02']) {
      trail.add({ ...record, eventTime: `2026-11-20T22:00:${second}Z` }, 0);
    }

    const history = trail.history(record.recipientAccountId, record.awsRegion);
    expect(history.map((event) => [event.record.eventTime.slice(17, 19), event.sequence])).toEqual([
      ['03', 1],
      ['02', 4],
      ['02', 3],
      ['01', 2],
    ]);
  });

  test('more than two requests a second per account and Region are throttled, other Regions are not', async () => {
    const aws = await start({ story: 'empty', lookupRatePerSecond: 2 });
    const here = clients(aws, aws.credentials.breakGlass).cloudtrail;
    const there = clients(aws, aws.credentials.breakGlass, 'eu-west-1').cloudtrail;

    const tries = await Promise.all([1, 2, 3, 4].map(() => refusal(here.send(new LookupEventsCommand({})))));
    const elsewhere = await refusal(there.send(new LookupEventsCommand({})));

    const throttled = tries.filter((one) => one.name === 'ThrottlingException');
    expect(throttled).toHaveLength(2);
    expect(throttled[0]).toMatchObject({ status: 400, message: 'Rate exceeded' });
    expect(elsewhere.message).toBe('it was not refused');
  });
});

describe('the story', () => {
  test('has ten instances by seven launches, four noticed, and one address shared with 1,257 calls of the DevOps role', async () => {
    const aws = await start({});
    const byPipeline = aws.trail.filter((one) => one.userIdentity.arn === 'arn:aws:iam::999999999999:user/pipeline');
    const onTheIp = Map.groupBy(
      aws.trail.filter((one) => one.sourceIPAddress === '203.0.113.99'),
      (one) => String(one.userIdentity.arn),
    );

    expect(
      Object.fromEntries(
        [...Map.groupBy(byPipeline, (one) => one.eventName)].map(([name, list]) => [name, list.length]),
      ),
    ).toEqual({
      DescribeImages: 2,
      DescribeVpcs: 2,
      DescribeSubnets: 4,
      RunInstances: 7,
    });
    const launched = byPipeline.flatMap(
      (one) =>
        (one.responseElements as { instancesSet?: { items: { instanceId: string }[] } } | null)?.instancesSet?.items ??
        [],
    );
    expect(launched.map((one) => one.instanceId)).toEqual([...minerInstances]);
    expect(minerInstances.every((id) => /^i-[0-9a-f]{17}$/.test(id))).toBe(true);
    expect([...onTheIp.keys()].sort()).toEqual([
      'arn:aws:iam::999999999999:user/pipeline',
      'arn:aws:sts::999999999999:assumed-role/DevOps/MaryMajor',
    ]);
    expect(onTheIp.get('arn:aws:sts::999999999999:assumed-role/DevOps/MaryMajor')).toHaveLength(1257);
    expect(new Set(aws.trail.map((one) => one.awsRegion))).toEqual(
      new Set(['us-east-1', 'eu-west-1', 'us-west-2', 'eu-north-1']),
    );
    expect(new Set(aws.trail.map((one) => one.eventID)).size).toBe(aws.trail.length);
    const now = Date.now();
    expect(
      aws.trail.every((one) => Date.parse(one.eventTime) <= now && Date.parse(one.eventTime) > now - 8 * 86_400_000),
    ).toBe(true);
  });

  test('is found by LookupEvents from a noticed instance, each item of the launch of four included', async () => {
    const aws = await start({ backgroundEvents: 100 });
    const reader = await audit(aws);
    const [, , third = ''] = noticedInstances;

    const events = await lookUp(aws, reader, {
      LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: third }],
    });

    expect(new Set(events.map((event) => event.EventName))).toContain('RunInstances');
    const launch = events.find((event) => event.EventName === 'RunInstances');
    expect(launch).toMatchObject({ Username: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', ReadOnly: 'false' });
    expect(launch?.Resources?.filter((one) => one.ResourceType === 'AWS::EC2::Instance')).toHaveLength(4);
    const byKey = await lookUp(aws, reader, {
      LookupAttributes: [{ AttributeKey: 'AccessKeyId', AttributeValue: 'AKIAIOSFODNN7EXAMPLE' }],
    });
    expect(byKey).toHaveLength(15);
  });

  test('is the same for the same now and seed', async () => {
    const at = new Date('2026-11-20T22:00:00Z');
    const [one, two] = [await start({ now: () => at }), await start({ now: () => at })];

    expect(one.trail).toEqual(two.trail);
  });

  test('has findings that fit its machines and name the key', async () => {
    const at = new Date();
    const aws = await start({ now: () => at, backgroundEvents: 0 });
    const findings = storyFindings(at);

    const ids = findings.mining.map((event) => {
      const resource = event.detail.resource as {
        instanceDetails: { instanceId: string; networkInterfaces: { networkInterfaceId: string }[] };
      };
      const { instanceId, networkInterfaces } = resource.instanceDetails;
      const machine = aws.state.accounts.get('999999999999')?.instances.find((one) => one.id === instanceId);
      expect(machine?.networkInterfaceId).toBe(networkInterfaces[0]?.networkInterfaceId);
      return instanceId;
    });
    expect(ids).toEqual([...noticedInstances]);
    const detail = findings.accessKey.detail as {
      id: string;
      resource: { accessKeyDetails: unknown };
      service: { count: number };
    };
    expect(detail.resource.accessKeyDetails).toMatchObject({
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'pipeline',
    });
    expect(findings.accessKeyUpdate.detail).toMatchObject({ id: detail.id, service: { count: 2 } });
    expect(findings.accessKeyUpdate.id).not.toBe(findings.accessKey.id);
    const every = [...findings.mining, findings.accessKey, findings.sample, findings.unknownType];
    expect(new Set(every.map((event) => event.detail.id)).size).toBe(every.length);
  });
});

describe('trouble on purpose', () => {
  test('each rule fails as it says, as often as it says', async () => {
    const aws = await start();
    const { sts } = clients(aws, aws.credentials.hub);
    const ask = () => refusal(sts.send(new GetCallerIdentityCommand({})));

    aws.fail({ service: 'sts', how: 'throttle', times: 1 });
    expect((await ask()).name).toBe('Throttling');
    expect((await ask()).message).toBe('it was not refused');
    aws.fail({ operation: 'GetCallerIdentity', how: 'accessDenied', times: 1 });
    expect(await ask()).toMatchObject({ name: 'AccessDenied', status: 403 });
    aws.fail({ how: '500', times: 1 });
    expect((await ask()).status).toBe(500);
    aws.fail({ how: 'html', times: 1 });
    expect((await ask()).message).not.toBe('it was not refused');
    aws.fail({ how: 'close', times: 1 });
    expect((await ask()).message).not.toBe('it was not refused');
    const end = aws.fail({ region: 'eu-west-1', how: 'throttle' });
    expect((await ask()).message).toBe('it was not refused');
    const abroad = clients(aws, aws.credentials.hub, 'eu-west-1').sts;
    expect((await refusal(abroad.send(new GetCallerIdentityCommand({})))).name).toBe('Throttling');
    end();
    await abroad.send(new GetCallerIdentityCommand({}));
  });

  test('a hang never answers, and the caller may give up', async () => {
    const aws = await start();
    aws.fail({ how: 'hang' });

    const gaveUp = await refusal(
      clients(aws, aws.credentials.hub).sts.send(new GetCallerIdentityCommand({}), {
        abortSignal: AbortSignal.timeout(100),
      }),
    );

    expect(gaveUp.name).toBe('AbortError');
  });

  test('applyThenClose does the work and loses the answer; hooks stand before and after it', async () => {
    const aws = await start();
    const admin = clients(aws, aws.credentials.breakGlass).iam;
    const key = { UserName: 'pipeline', AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    const seen: string[] = [];
    function status(): string | undefined {
      return aws.state.accounts.get('999999999999')?.users.get('pipeline')?.keys[0]?.history.at(-1)?.status;
    }
    const remove = aws.onRequest(async (call) => {
      await Promise.resolve();
      if (call.operation === 'UpdateAccessKey') seen.push(`${call.phase} ${call.action} ${status()}`);
    });
    aws.fail({ operation: 'UpdateAccessKey', how: 'applyThenClose', times: 1 });

    const lost = await refusal(admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' })));

    expect(lost.message).not.toBe('it was not refused');
    expect((await admin.send(new ListAccessKeysCommand(key))).AccessKeyMetadata?.[0]?.Status).toBe('Inactive');
    expect(seen).toEqual(['before iam:UpdateAccessKey Active', 'after iam:UpdateAccessKey Inactive']);
    remove();
    await admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }));
    expect(seen).toHaveLength(2);

    aws.onRequest((call) => (call.operation === 'UpdateAccessKey' ? 'drop' : undefined));
    await refusal(admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' })));
    expect(status()).toBe('Active');
  });

  test('an operation that it does not have is refused as the service would', async () => {
    const aws = await start();
    const { ec2, iam } = clients(aws, aws.credentials.breakGlass);
    const { DescribeVolumesCommand } = await import('@aws-sdk/client-ec2');
    const { ListPoliciesCommand } = await import('@aws-sdk/client-iam');
    const { ListTrailsCommand } = await import('@aws-sdk/client-cloudtrail');

    expect((await refusal(ec2.send(new DescribeVolumesCommand({})))).name).toBe('InvalidAction');
    expect((await refusal(iam.send(new ListPoliciesCommand({})))).name).toBe('InvalidAction');
    const { cloudtrail } = clients(aws, aws.credentials.breakGlass);
    expect((await refusal(cloudtrail.send(new ListTrailsCommand({})))).name).toBe('UnknownOperationException');
  });
});

describe('policies', () => {
  const access = { action: 'iam:GetUser', resource: 'arn:aws:iam::1:user/a', context: { 'aws:username': ['a'] } };

  test('an explicit deny wins over every allow', () => {
    const allow = { Statement: { Effect: 'Allow' as const, Action: '*', Resource: '*' } };
    const deny = {
      Statement: {
        Effect: 'Deny' as const,
        Action: 'IAM:getuser',
        Resource: `arn:aws:iam::1:user/${'$'}{aws:username}`,
      },
    };

    expect(evaluate([allow], access)).toBe('allowed');
    expect(evaluate([allow, deny], access)).toBe('explicitDeny');
    expect(evaluate([], access)).toBe('implicitDeny');
    expect(evaluate([{ Statement: { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' } }], access)).toBe(
      'implicitDeny',
    );
  });

  test('conditions compare as their operators say', () => {
    function decide(operator: string, key: string, value: string): string {
      const statement = {
        Effect: 'Allow' as const,
        Action: '*',
        Resource: '*',
        Condition: { [operator]: { [key]: value } },
      };
      return evaluate([{ Statement: statement }], {
        ...access,
        context: { 'aws:tagkeys': ['x', 'y'], 'aws:username': ['a'] },
      });
    }

    expect(decide('StringEquals', 'AWS:UserName', 'a')).toBe('allowed');
    expect(decide('StringNotEquals', 'aws:username', 'a')).toBe('implicitDeny');
    expect(decide('StringLike', 'aws:username', '?')).toBe('allowed');
    expect(decide('StringEquals', 'aws:absent', 'a')).toBe('implicitDeny');
    expect(decide('StringEqualsIfExists', 'aws:absent', 'a')).toBe('allowed');
    expect(decide('Null', 'aws:absent', 'true')).toBe('allowed');
    expect(decide('ForAllValues:StringEquals', 'aws:TagKeys', 'x')).toBe('implicitDeny');
    expect(decide('ForAnyValue:StringEquals', 'aws:TagKeys', 'x')).toBe('allowed');
    expect(decide('ForAllValues:StringEquals', 'aws:absent', 'x')).toBe('allowed');
  });

  test('text that is no policy is malformed, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parsePolicy(text)).toThrow();
      }),
    );
    expect(() =>
      parsePolicy('{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Odd":{"a":"b"}}}]}'),
    ).toThrow('Unsupported');
  });

  test('a unique id carries its account', () => {
    expect(accountInId('ASIAQNZGKIQY56JQ7WML')).toBe('029608264753');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (number) => {
        const account = String(number).padStart(12, '0');
        expect(accountInId(uniqueId('AKIA', account))).toBe(account);
      }),
    );
  });
});
