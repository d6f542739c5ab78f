/** The pure parts of who-created, secrets-read, errors, data-access and the ranking of neighbours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actsIn, sameThing } from '../../../src/domain/acting.ts';
import { creationsOf, deletionsOf } from '../../../src/domain/creation.ts';
import { accessesOf, provableOf } from '../../../src/domain/data-access.ts';
import { artifactsOf, parseStore } from '../../../src/domain/data-store.ts';
import { errorGroups } from '../../../src/domain/error-tail.ts';
import { secretsRead } from '../../../src/domain/secrets-read.ts';
import { evidenceOf, type Raw, record, session, user } from './pivot-records.ts';

const account = '999999999999';
const alice = user('alice');
const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 20, minute)).toISOString();

describe('who made a thing', () => {
  const create = (by: Raw, minute: number, more: Raw = {}) =>
    record({
      eventTime: at(minute),
      eventName: 'CreateUser',
      eventSource: 'iam.amazonaws.com',
      userIdentity: by,
      requestParameters: { userName: 'eve', path: '/ops/' },
      ...more,
    });

  it('is found under a name with and without its path, and again after a deletion', () => {
    const gone = record({
      eventTime: at(2),
      eventName: 'DeleteUser',
      eventSource: 'iam.amazonaws.com',
      userIdentity: alice,
      requestParameters: { userName: 'eve' },
    });
    const records = [create(alice, 1), gone, create(user('bob'), 3)];

    for (const id of [`arn:aws:iam::${account}:user/eve`, `arn:aws:iam::${account}:user/ops/eve`]) {
      expect(creationsOf(id, records).map(({ creator }) => creator)).toEqual([alice.arn, user('bob').arn]);
      expect(deletionsOf(id, records)).toEqual([gone]);
    }
  });

  it('of a stack is found with and without its id', () => {
    const stack = `arn:aws:cloudformation:us-east-1:${account}:stack/shop`;
    const stackId = `${stack}/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f`;
    const made = create(alice, 1, {
      eventName: 'CreateStack',
      eventSource: 'cloudformation.amazonaws.com',
      requestParameters: { stackName: 'shop' },
      responseElements: { stackId },
    });

    for (const id of [stack, stackId]) expect(creationsOf(id, [made])).toMatchObject([{ creator: alice.arn }]);
    expect(creationsOf(`${stack}/aaaaaaaa-c6b1-11ef-9d6c-0a1b2c3d4e5f`, [made])).toEqual([]);
  });

  it('is nobody who failed, or who only named it', () => {
    expect(
      creationsOf(`arn:aws:iam::${account}:user/eve`, [
        create(alice, 1, { errorCode: 'AccessDenied' }),
        create(alice, 2, { eventName: 'GetUser', readOnly: true }),
      ]),
    ).toEqual([]);
  });
});

describe('one thing under two names', () => {
  const secret = `arn:aws:secretsmanager:eu-west-1:${account}:secret:prod/db`;
  const stack = `arn:aws:cloudformation:eu-west-1:${account}:stack/shop`;

  it.each([
    [`arn:aws:iam::${account}:user/a/eve`, `arn:aws:iam::${account}:user/eve`, true],
    [`arn:aws:ec2:us-east-1:${account}:instance/i-0ba42452619fc45aa`, 'i-0ba42452619fc45aa', true],
    ['arn:aws:s3:::bucket', 'bucket', true],
    [`${secret}-AbCdEf`, secret, true],
    [`${secret}-AbCdEf`, `${secret}-ZyXwVu`, false],
    [`${stack}/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f`, stack, true],
    [`${stack}/6f1d7c40-c6b1-11ef-9d6c-0a1b2c3d4e5f`, `${stack}2`, false],
    [`arn:aws:iam::${account}:user/eve`, 'arn:aws:iam::111122223333:user/eve', false],
    [`arn:aws:iam::${account}:user/eve`, `arn:aws-cn:iam::${account}:user/eve`, false],
    [`arn:aws:iam::${account}:user/eve`, `arn:aws:iam::${account}:role/eve`, false],
  ])('%s and %s: %s', (a, b, same) => {
    expect([sameThing(a, b), sameThing(b, a)]).toEqual([same, same]);
  });

  it('acts where it is the caller, not where it is named', () => {
    const named = record({
      eventName: 'ListAccessKeys',
      eventSource: 'iam.amazonaws.com',
      userIdentity: user('bob'),
      requestParameters: { userName: 'alice' },
    });

    expect(actsIn({ kind: 'user', id: String(alice.arn) }, named)).toBe(false);
    expect(
      actsIn(
        { kind: 'role', id: `arn:aws:iam::${account}:role/Web` },
        record({ eventName: 'X', userIdentity: session('Web', 's') }),
      ),
    ).toBe(true);
  });
});

describe('the rotation list', () => {
  const read = (eventName: string, service: string, requestParameters: Raw, more: Raw = {}) =>
    record({
      eventName,
      eventSource: `${service}.amazonaws.com`,
      userIdentity: alice,
      readOnly: true,
      requestParameters,
      sourceIPAddress: '203.0.113.99',
      ...more,
    });

  it('names a secret once that was read by its name and by its ARN, and not one whose name only begins alike', () => {
    const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:prod/mail`;
    const list = secretsRead([
      read('BatchGetSecretValue', 'secretsmanager', { secretIdList: ['prod/mail', 'prod/mail-backup'] }),
      read('GetSecretValue', 'secretsmanager', { secretId: `${arn}-AbCdEf` }),
    ]);

    expect(list.map(({ secret, reads }) => [secret, reads])).toEqual([
      [`${arn}-AbCdEf`, 2],
      [`${arn}-backup`, 1],
    ]);
  });

  it('names each secret once, what was surely read first', () => {
    const list = secretsRead([
      read('GetSecretValue', 'secretsmanager', { secretId: 'prod/db' }, { errorCode: 'AccessDeniedException' }),
      read('GetFunctionConfiguration20150331v2', 'lambda', { functionName: 'api' }),
      read('GetSecretValue', 'secretsmanager', { secretId: 'prod/mail' }),
      read('GetSecretValue', 'secretsmanager', { secretId: 'prod/mail' }, { userIdentity: user('bob') }),
      read('GetParameters', 'ssm', { names: ['/app/key', '/app/plain'], withDecryption: true }),
      read('GetParametersByPath', 'ssm', { path: '/app/', recursive: true }),
      read('ListSecrets', 'secretsmanager', {}),
    ]);

    expect(list.map(({ secret, sure, reads, denied }) => [secret, sure, reads, denied])).toEqual([
      [`arn:aws:secretsmanager:us-east-1:${account}:secret:prod/mail`, 'read', 2, 0],
      [`arn:aws:ssm:us-east-1:${account}:parameter/app/key`, 'read', 1, 0],
      [`arn:aws:ssm:us-east-1:${account}:parameter/app/plain`, 'read', 1, 0],
      [`arn:aws:lambda:us-east-1:${account}:function:api`, 'may-hold', 1, 0],
      [`arn:aws:ssm:us-east-1:${account}:parameter/app/*`, 'may-hold', 1, 0],
      [`arn:aws:secretsmanager:us-east-1:${account}:secret:prod/db`, 'read', 0, 1],
    ]);
    expect(list[0]?.by).toEqual([alice.arn, user('bob').arn]);
  });

  it('counts a secret once, whether it was asked for by its name or its ARN, and whatever KMS decrypted for it', () => {
    const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:prod/db-AbCdEf`;
    const byPath = `arn:aws:ssm:us-east-1:${account}:parameter/app/key`;
    const forService = (service: string, encryptionContext: Raw) =>
      read(
        'Decrypt',
        'kms',
        { encryptionContext },
        { userIdentity: { ...alice, invokedBy: `${service}.amazonaws.com` } },
      );

    const list = secretsRead([
      read('GetSecretValue', 'secretsmanager', { secretId: 'prod/db' }, { sourceIPAddress: '2001:DB8:0:0::1' }),
      read('GetSecretValue', 'secretsmanager', { secretId: arn }, { sourceIPAddress: '2001:db8::1' }),
      forService('secretsmanager', { SecretARN: arn, SecretVersionId: 'v' }),
      read('GetSecretValue', 'secretsmanager', { secretId: 'prod/db-backup' }),
      read('BatchGetSecretValue', 'secretsmanager', { secretIdList: ['stage/a', 'stage/b'] }),
      read('GetParameter', 'ssm', { name: '/one:3', withDecryption: true }),
      read('GetParametersByPath', 'ssm', { path: '/app/' }),
      forService('ssm', { PARAMETER_ARN: byPath }),
      forService('dynamodb', { 'aws:dynamodb:tableName': 'orders' }),
    ]);

    const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:${account}:secret:${name}`;
    expect(list.map(({ secret: id, sure, reads }) => [id, sure, reads])).toEqual([
      [arn, 'read', 2],
      [secret('prod/db-backup'), 'read', 1],
      [secret('stage/a'), 'read', 1],
      [secret('stage/b'), 'read', 1],
      [byPath, 'read', 1],
      [`arn:aws:ssm:us-east-1:${account}:parameter/one`, 'read', 1],
      [`arn:aws:ssm:us-east-1:${account}:parameter/app/*`, 'may-hold', 1],
      ['not named in the record (kms)', 'may-hold', 1],
    ]);
    expect(list[0]).toMatchObject({ sourceIps: ['2001:db8::1'], eventNames: ['GetSecretValue'] });
  });

  it('names objects of S3 whose names tell, and those that KMS decrypted by their bucket', () => {
    const get = (key: string) => read('GetObject', 's3', { bucketName: 'tf', key });
    const decrypted = (arn: string) => read('Decrypt', 'kms', { encryptionContext: { 'aws:s3:arn': arn } });

    const list = secretsRead([
      get('prod/terraform.tfstate'),
      get('logs/2026.gz'),
      decrypted('arn:aws:s3:::tf/prod/terraform.tfstate'),
      decrypted('arn:aws:s3:::backup/a.sql'),
      decrypted('arn:aws:s3:::backup/b.sql'),
    ]);

    expect(list.map(({ secret: id, sure, reads }) => [id, sure, reads])).toEqual([
      ['arn:aws:s3:::backup/*', 'may-hold', 2],
      ['arn:aws:s3:::tf/prod/terraform.tfstate', 'may-hold', 1],
    ]);
  });

  it('takes what KMS decrypted from the encryption context, not the key', () => {
    const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:prod/db-AbCdEf`;

    expect(secretsRead([read('Decrypt', 'kms', { encryptionContext: { SecretARN: arn } })])).toMatchObject([
      { secret: arn },
    ]);
    expect(
      secretsRead([read('Decrypt', 'kms', {}, { resources: [{ ARN: `arn:aws:kms:us-east-1:${account}:key/k` }] })]),
    ).toMatchObject([{ secret: `arn:aws:kms:us-east-1:${account}:key/k` }]);
  });

  it('never fails, whatever a request holds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('ssm', 'kms', 'secretsmanager', 'ec2'),
        fc.constantFrom('GetParameters', 'Decrypt', 'GetSecretValue', 'GetPasswordData', 'constructor'),
        fc.dictionary(fc.constantFrom('names', 'secretId', 'encryptionContext', 'path', 'instanceId'), fc.jsonValue()),
        (service, name, request) => {
          for (const one of secretsRead([read(name, service, request as Raw)])) expect(one.secret).not.toBe('');
        },
      ),
    );
  });
});

describe('errors', () => {
  const denied = (name: string, ip: string, minute: number, more: Raw = {}) =>
    record({
      eventTime: at(minute),
      eventName: name,
      userIdentity: alice,
      sourceIPAddress: ip,
      errorCode: 'AccessDenied',
      ...more,
    });

  it('come rare first, probing before all, the console’s own last', () => {
    const noise = Array.from({ length: 30 }, (_, n) => denied('GetObject', '198.51.100.7', n));
    const probing = ['ListUsers', 'ListRoles', 'ListBuckets', 'DescribeInstances', 'GetAccountSummary'].map((name, n) =>
      denied(name, '203.0.113.99', n),
    );
    const rare = denied('CreateUser', '192.0.2.1', 1);
    const own = denied('ListRules', '192.0.2.9', 1, { sessionCredentialFromConsole: 'true' });

    const groups = errorGroups([
      ...noise,
      own,
      ...probing,
      rare,
      denied('ListUsers', '1.1.1.1', 1, { errorCode: undefined }),
    ]);

    expect(groups.map(({ eventName, times, isProbing }) => [eventName, times, isProbing])).toEqual([
      ...['DescribeInstances', 'GetAccountSummary', 'ListBuckets', 'ListRoles', 'ListUsers']
        .map((name) => [name, 1, true])
        .sort(
          (a, b) =>
            probing.findIndex(({ eventName }) => eventName === a[0]) -
            probing.findIndex(({ eventName }) => eventName === b[0]),
        ),
      ['CreateUser', 1, false],
      ['GetObject', 30, false],
      ['ListRules', 1, false],
    ]);
    expect(groups.at(-1)?.isConsole).toBe(true);
  });

  it('are no probing where the calls are hours apart', () => {
    const slow = ['A', 'B', 'C', 'D', 'E'].map((name, n) => denied(`List${name}`, '203.0.113.99', n * 11));

    expect(errorGroups(slow).some(({ isProbing }) => isProbing)).toBe(false);
  });

  const why = (errorMessage: string, more: Raw = {}) =>
    errorGroups([denied('RunInstances', '192.0.2.1', 1, { errorMessage, ...more })])[0]?.reason;
  const scp = 'arn:aws:organizations::111122223333:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd';

  it.each([
    ['with an explicit deny in a service control policy', 'explicit deny in a service control policy'],
    [`with an explicit deny in a service control policy: ${scp}`, `explicit deny in a service control policy, ${scp}`],
    ['with an explicit deny in a permissions boundary', 'explicit deny in a permissions boundary'],
    ['with an explicit deny in a resource-based policy', 'explicit deny in a resource-based policy'],
    ['with an explicit deny in the role trust policy', 'explicit deny in the role trust policy'],
    ['because no identity-based policy allows the ec2:RunInstances action', 'no identity-based policy allows it'],
    ['because no permissions boundary allows the ec2:RunInstances action.', 'no permissions boundary allows it'],
    [
      'because no session policy allows the ec2:RunInstances action. Encoded authorization failure message: AbC-_d',
      'no session policy allows it',
    ],
    ['because no VPC endpoint policy allows the s3:GetObject action', 'no VPC endpoint policy allows it'],
  ])('say why AWS refused: %s', (ending, reason) => {
    const call = `User: ${String(alice.arn)} is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:${account}:instance/*`;

    expect(why(`${call} ${ending}`)).toBe(reason);
  });

  it('take the reason from the end, where AWS writes it, and not from a name that somebody chose', () => {
    const name = 'x with an explicit deny in a service control policy';

    expect(
      why(
        `not authorized on resource: "arn:aws:s3:::b/${name}" because no identity-based policy allows the s3:GetObject action`,
      ),
    ).toBe('no identity-based policy allows it');
    expect(why(`not authorized on resource: arn:aws:s3:::b/${name}/y`)).toBe('');
    expect(why('Access Denied')).toBe('');
  });

  it('stand apart by their reason, and without a code by what AWS says', () => {
    const refused = (minute: number, errorMessage: string) =>
      denied('RunInstances', '192.0.2.1', minute, { errorMessage });

    expect(
      errorGroups([
        refused(1, 'You are not authorized because no identity-based policy allows the ec2:RunInstances action'),
        refused(2, 'You are not authorized with an explicit deny in a service control policy'),
      ]),
    ).toHaveLength(2);
    expect(why('Failed authentication', { errorCode: undefined })).toBe('Failed authentication');
  });

  it('name the user whom a failed sign-in was tried as, where the record tells', () => {
    const failed = (userName: string) =>
      record({
        eventName: 'ConsoleLogin',
        eventSource: 'signin.amazonaws.com',
        userIdentity: { type: 'IAMUser', accountId: account, accessKeyId: '', userName },
        sourceIPAddress: '192.0.2.1',
        errorMessage: 'Failed authentication',
        responseElements: { ConsoleLogin: 'Failure' },
      });

    const groups = errorGroups([failed('karl'), failed('HIDDEN_DUE_TO_SECURITY_REASONS'), failed('karl')]);

    expect(groups.map(({ principal, times }) => [principal, times])).toEqual([
      ['', 1],
      [`arn:aws:iam::${account}:user/karl`, 2],
    ]);
  });

  it('count one address once, however its record spells it', () => {
    const [group, ...others] = errorGroups(
      ['2001:db8::7', '2001:0DB8:0:0::0007'].map((ip, n) => denied('ListUsers', ip, n)),
    );

    expect(others).toEqual([]);
    expect(group).toMatchObject({ times: 2, placeTimes: 2, sourceIp: '2001:db8::7' });
  });
});

describe('a bucket, table or secret', () => {
  it.each([
    ['s3://payroll/2026/x.csv', undefined, { id: 'payroll', kind: 'bucket', name: 'payroll' }],
    [
      'arn:aws-cn:s3:::payroll/2026/x.csv',
      undefined,
      { id: 'arn:aws-cn:s3:::payroll', kind: 'bucket', name: 'payroll' },
    ],
    ['orders', 'table', { id: 'orders', kind: 'table', name: 'orders' }],
    ['orders', undefined, { id: 'orders', kind: undefined, name: 'orders' }],
    [
      `arn:aws:secretsmanager:us-east-1:${account}:secret:prod/db-AbCdEf`,
      undefined,
      { kind: 'secret', name: 'prod/db' },
    ],
    [`arn:aws:dynamodb:us-east-1:${account}:table/orders/index/by-day`, undefined, { kind: 'table', name: 'orders' }],
  ] as const)('is told from %s', (text, kind, store) => {
    expect(parseStore(text, kind)).toMatchObject(store);
  });

  it.each(['', 'a', 'arn:aws:iam::999999999999:user/x', 'arn:nonsense', 'two words'])('is not %j', (text) => {
    expect(() => parseStore(text, undefined)).toThrow(
      expect.objectContaining({ name: 'UserError', hint: expect.any(String) }),
    );
  });

  it('is asked for in every place where its ARN may be, within bounds', () => {
    const places = { accounts: [account, '111122223333'], regions: ['us-east-1', 'cn-north-1'] };
    const ids = artifactsOf(parseStore('orders', 'table'), places).ids.map(({ id }) => id);

    expect(ids).toContain(`arn:aws-cn:dynamodb:cn-north-1:${account}:table/orders`);
    expect(ids).toHaveLength(5);
    const many = {
      accounts: Array.from({ length: 50 }, (_, n) => String(n).padStart(12, '1')),
      regions: ['us-east-1', 'eu-west-1', 'eu-west-2'],
    };
    expect(artifactsOf(parseStore('orders', 'table'), many).cut).toBe(50);
  });
});

describe('access to data', () => {
  const bucket = (eventName: string, more: Raw = {}) =>
    record({
      eventName,
      eventSource: 's3.amazonaws.com',
      userIdentity: alice,
      sourceIPAddress: '203.0.113.99',
      requestParameters: { bucketName: 'payroll', key: 'a.csv' },
      eventCategory: 'Data',
      ...more,
    });
  const complete = {
    ...evidenceOf([]).coverage(),
    sources: [{ name: 'CloudTrail files', events: 9, pages: 1, truncated: false, failed: false }],
  };

  it('is grouped by who, from where and what, reads first, with the bytes', () => {
    const list = accessesOf(
      [
        bucket('PutObject'),
        bucket('GetObject', { additionalEventData: { bytesTransferredOut: 5 } }),
        bucket('GetObject', {
          additionalEventData: { bytesTransferredOut: 7 },
          requestParameters: { bucketName: 'payroll', key: 'b.csv' },
        }),
        bucket('GetObject', { errorCode: 'AccessDenied', additionalEventData: { bytesTransferredOut: 243 } }),
        bucket('HeadObject', { additionalEventData: { bytesTransferredOut: 0 } }),
        bucket('PutBucketPolicy', { eventCategory: 'Management' }),
      ],
      'payroll',
    );

    expect(list.map(({ access, outcome, times }) => [access, outcome, times])).toEqual([
      ['read', 'success', 2],
      ['write', 'success', 1],
      ['list', 'success', 1],
      ['settings', 'success', 1],
      ['read', 'denied', 1],
    ]);
    expect(list[0]).toMatchObject({ bytesOut: 12, objectNames: ['a.csv', 'b.csv'] });
    // What a refusal transferred is its own text.
    expect(list[4]).not.toHaveProperty('bytesOut');
  });

  it('counts one address once, however its record spells it', () => {
    const list = accessesOf(
      ['2001:db8::7', '2001:0DB8:0:0::0007'].map((sourceIPAddress) => bucket('GetObject', { sourceIPAddress })),
      'payroll',
    );

    expect(list).toEqual([expect.objectContaining({ times: 2, sourceIp: '2001:db8::7' })]);
  });

  it('of a bucket or table is never denied, whatever the logs and however complete', () => {
    for (const kind of ['bucket', 'table', undefined] as const) {
      for (const records of [[], [bucket('PutObject')], [bucket('PutBucketPolicy', { eventCategory: 'Management' })]]) {
        expect(provableOf(kind, records, complete, 'payroll')).toMatchObject({
          verdict: 'cannot-be-told',
          because: expect.stringContaining('neither proved nor excluded'),
        });
      }
    }
  });

  it('by a copy is a read of the bucket that it comes from, and a write of the one that it goes to', () => {
    const copy = (source: string) =>
      bucket('CopyObject', { requestParameters: { bucketName: 'loot', key: 'a', 'x-amz-copy-source': source } });
    for (const source of ['payroll/a.csv', '/payroll/a.csv', 'payroll%2Fa.csv', 'arn:aws-cn:s3:::payroll/a.csv']) {
      expect(accessesOf([copy(source)], 'payroll')).toEqual([expect.objectContaining({ access: 'read' })]);
      expect(accessesOf([copy(source)], 'loot')).toEqual([expect.objectContaining({ access: 'write' })]);
    }
    expect(provableOf('bucket', [copy('payroll/a.csv')], complete, 'loot').verdict).toBe('cannot-be-told');
    expect(provableOf('bucket', [copy('payroll/a.csv')], complete, 'payroll').verdict).toBe('reads-seen');
  });

  it('of a secret is always logged, so that a complete look may say that none was seen', () => {
    expect(provableOf('secret', [], complete, 'key').verdict).toBe('no-read-seen');
    expect(provableOf('secret', [], { ...complete, complete: false }, 'key').verdict).toBe('cannot-be-told');
  });
});
