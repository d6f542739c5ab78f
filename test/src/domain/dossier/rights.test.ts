import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStatements, reachOf } from '../../../../src/domain/dossier/policy.ts';
import { type NamedPolicy, quarantinesOf, rightsOf } from '../../../../src/domain/dossier/rights.ts';
import { trustedBy, trustWords } from '../../../../src/domain/dossier/trust.ts';

function policy(document: unknown, name = 'p', arn?: string): NamedPolicy {
  return { name, via: 'itself', statements: parseStatements(JSON.stringify(document)), ...(arn ? { arn } : {}) };
}
function allow(Action: string | string[], Resource: string | string[] = '*', more: object = {}) {
  return { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource, ...more } };
}
const deny = (Action: string, Resource = '*', more: object = {}) => ({
  Statement: [{ Effect: 'Deny', Action, Resource, ...more }],
});

describe('rights', () => {
  it.each([
    ['everything', [allow('*')], 'admin'],
    ['IAM writes with PassRole', [allow(['iam:PutUserPolicy', 'iam:PassRole'])], 'admin'],
    [
      'power users, who may do all but IAM',
      [
        {
          Statement: {
            Effect: 'Allow',
            NotAction: [
              'iam:*',
              'organizations:*',
              'account:*',
              'sts:*',
              'sso:*',
              'ssm:*',
              'lambda:*',
              'sagemaker:*',
              'glue:*',
              'ec2:Modify*',
            ],
            Resource: '*',
          },
        },
      ],
      'data',
    ],
    ['keys for other users', [allow('iam:CreateAccessKey', 'arn:aws:iam::111122223333:user/*')], 'escalation'],
    ['keys for itself alone', [allow('iam:CreateAccessKey', `arn:aws:iam::*:user/\${aws:username}`)], 'read'],
    ['one named role', [allow('sts:AssumeRole', 'arn:aws:iam::111122223333:role/Reports')], 'read'],
    ['every role', [allow('sts:AssumeRole', 'arn:aws:iam::111122223333:role/*')], 'escalation'],
    ['PassRole alone', [allow('iam:PassRole')], 'read'],
    ['PassRole and RunInstances', [allow(['iam:PassRole', 'ec2:RunInstances'])], 'escalation'],
    ['objects', [allow('s3:Get*')], 'data'],
    ['machines', [allow('ec2:RunInstances')], 'compute'],
    ['nothing', [], 'none'],
    ['everything, and a deny on everything', [allow('*'), deny('*')], 'read'],
  ])('of %s are %s', (_what, documents, privilege) => {
    expect(
      rightsOf(
        documents.map((document) => policy(document)),
        undefined,
      ).privilege,
    ).toBe(privilege);
  });

  it('are bounded by a permissions boundary', () => {
    const boundary = parseStatements(JSON.stringify(allow(['ec2:Describe*'])));

    expect(rightsOf([policy(allow('*'))], boundary).privilege).toBe('read');
  });

  it('are not known while a document cannot be read, unless the others settle it', () => {
    const unread: NamedPolicy = { name: 'x', via: 'itself', statements: undefined };

    expect(rightsOf([unread, policy(allow('s3:Get*'))], undefined)).toMatchObject({
      privilege: undefined,
      unread: ['x'],
    });
    expect(rightsOf([unread, policy(allow('*'))], undefined).privilege).toBe('admin');
  });

  it('tell a way that a condition narrows as limited', () => {
    const narrowed = allow('iam:PutUserPolicy', '*', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } });

    expect(rightsOf([policy(narrowed)], undefined).paths).toMatchObject([{ id: 'put-user-policy', limited: true }]);
  });

  it('never widen by a further deny', () => {
    const actions = fc.constantFrom('*', 'iam:*', 'iam:PassRole', 'ec2:RunInstances', 's3:GetObject', 's3:*');
    fc.assert(
      fc.property(fc.array(actions, { maxLength: 4 }), actions, actions, (allowed, denied, asked) => {
        const before = reachOf(
          allowed.flatMap((action) => parseStatements(JSON.stringify(allow(action))) ?? []),
          asked,
        );
        const after = reachOf(
          [
            ...allowed.flatMap((action) => parseStatements(JSON.stringify(allow(action))) ?? []),
            ...(parseStatements(JSON.stringify(deny(denied))) ?? []),
          ],
          asked,
        );
        const rank = { no: 0, some: 1, all: 2 };
        expect(rank[after]).toBeLessThanOrEqual(rank[before]);
      }),
    );
  });

  it('survive any document', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.string().map(encodeURIComponent)), (text) => {
        parseStatements(text);
      }),
    );
    expect(parseStatements('%E0%A4%A')).toBeUndefined();
    expect(parseStatements(encodeURIComponent(JSON.stringify(allow('*'))))).toHaveLength(1);
  });
});

describe('a quarantine', () => {
  it.each([
    ['AWSCompromisedKeyQuarantine', 'AWS'],
    ['AWSCompromisedKeyQuarantineV2', 'AWS'],
    ['AWSCompromisedKeyQuarantineV3', 'AWS'],
  ])("%s is AWS's", (name, by) => {
    expect(quarantinesOf([policy(deny('ec2:RunInstances'), name, `arn:aws:iam::aws:policy/${name}`)])).toMatchObject([
      { by },
    ]);
  });

  it("is not believed by its name where the policy is the customer's own", () => {
    expect(
      quarantinesOf([
        policy(
          allow('*'),
          'AWSCompromisedKeyQuarantineV3',
          'arn:aws:iam::111122223333:policy/AWSCompromisedKeyQuarantineV3',
        ),
      ]),
    ).toEqual([]);
  });

  it('of ours is told from its statement, and a revoke of older sessions says what it leaves', () => {
    const found = quarantinesOf([
      policy({
        Statement: [
          {
            Sid: 'FirebreakRevokeOlder',
            Effect: 'Deny',
            Action: '*',
            Resource: '*',
            Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-11-20T22:15:30Z' } },
          },
        ],
      }),
    ]);

    expect(found).toMatchObject([{ by: 'Firebreak', leaves: expect.stringContaining('under a condition only') }]);
  });
});

it('a trust policy says who may assume, and marks other accounts and anybody', () => {
  const statements = parseStatements(
    JSON.stringify({
      Statement: [
        {
          Effect: 'Allow',
          Principal: {
            AWS: ['arn:aws:iam::777777777777:root', 'arn:aws-cn:iam::111122223333:role/x'],
            Service: 'ec2.amazonaws.com',
          },
          Action: 'sts:AssumeRole',
        },
        {
          Effect: 'Allow',
          Principal: '*',
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': 'x' } },
        },
      ],
    }),
  );

  expect(trustedBy(statements ?? [], '111122223333').map(trustWords)).toEqual([
    'all of account 777777777777 (another account)',
    'arn:aws-cn:iam::111122223333:role/x',
    'service ec2.amazonaws.com',
    'ANYBODY, if sts:ExternalId',
  ]);
});
