import { describe, expect, it } from 'vitest';
import { compareRights, someOf, trustProblems } from '../../../src/domain/role-check.ts';
import { auditTrust, policyOf, responderTrust } from '../../../src/domain/role-rights.ts';

const users = 'arn:aws:iam::111122223333:user/*';
const wanted = policyOf(
  { Effect: 'Allow', Action: ['iam:GetUser', 'iam:PutUserPolicy'], Resource: users },
  {
    Effect: 'Allow',
    Action: ['iam:PassRole'],
    Resource: 'arn:aws:iam::111122223333:role/*',
    Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com'] } },
  },
);

describe('the rights of a role', () => {
  it('are exact in whatever way they are cut into statements, with one text for a list of one and keys in any case', () => {
    const found = [
      { Statement: { Effect: 'Allow', Action: 'iam:GetUser', Resource: [users] } },
      {
        Statement: [
          { Effect: 'Allow', Action: ['iam:PutUserPolicy'], Resource: users },
          {
            Effect: 'Allow',
            Action: 'iam:PassRole',
            Resource: 'arn:aws:iam::111122223333:role/*',
            Condition: { StringEquals: { 'iam:passedtoservice': 'ec2.amazonaws.com' } },
          },
        ],
      },
    ];

    expect(compareRights(wanted, found)).toEqual({ missing: [], beyond: [], denies: 0 });
  });

  it('lack what no statement allows, as widely as it is asked for', () => {
    const found = [
      {
        Statement: [
          { Effect: 'Allow', Action: 'iam:GetUser', Resource: `${users.slice(0, -1)}ops/*` },
          { Effect: 'Allow', Action: 'iam:PutUserPolicy', Resource: users, Condition: { Bool: { 'aws:x': 'true' } } },
          { Effect: 'Deny', Action: '*', Resource: '*' },
        ],
      },
    ];

    expect(compareRights(wanted, found)).toEqual({
      missing: [
        'iam:GetUser on arn:aws:iam::111122223333:user/*',
        'iam:PassRole on arn:aws:iam::111122223333:role/*',
        'iam:PutUserPolicy on arn:aws:iam::111122223333:user/*',
      ],
      beyond: [],
      denies: 1,
    });
  });

  it('go beyond with a wildcard, another action, a wider resource, no condition, or what they leave out', () => {
    const found = [
      ...[{ Statement: wanted.Statement }],
      {
        Statement: [
          { Effect: 'Allow', Action: 'iam:*', Resource: users },
          { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
          { Effect: 'Allow', Action: 'iam:GetUser', Resource: '*' },
          { Effect: 'Allow', Action: 'iam:PassRole', Resource: 'arn:aws:iam::111122223333:role/*' },
          { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' },
          { Effect: 'Allow', Action: 'iam:GetUser', NotResource: '*' },
        ],
      },
    ];

    const { missing, beyond } = compareRights(wanted, found);
    expect(missing).toEqual([]);
    expect(beyond).toEqual([
      ...Array.from({ length: 2 }, () => 'a statement with NotAction or NotResource, or without either'),
      'iam:* on arn:aws:iam::111122223333:user/*',
      'iam:GetUser',
      'iam:PassRole on arn:aws:iam::111122223333:role/*',
      's3:GetObject',
    ]);
  });

  it('of documents that are none are all missing', () => {
    for (const odd of [undefined, null, 'x', {}, { Statement: null }, { Statement: ['x', null] }]) {
      expect(compareRights(wanted, [odd])).toMatchObject({ missing: { length: 3 }, beyond: [], denies: 0 });
    }
  });
});

describe('the trust of a role', () => {
  const hub = '444455556666';
  const worker = `arn:aws:iam::${hub}:role/ir/FirebreakWorker`;
  const executor = `arn:aws:iam::${hub}:role/ir/FirebreakExecutor`;
  // As GetCallerIdentity tells it: without the path.
  const self = [`arn:aws:sts::${hub}:assumed-role/FirebreakWorker/i-1`, `arn:aws:iam::${hub}:role/FirebreakWorker`];
  const asked = { wanted: responderTrust('', 'id-1'), hub, self, trusts: 'other' } as const;
  const reading = { wanted: auditTrust('', 'id-1'), hub, self, trusts: 'self' } as const;
  const trust = (principal: unknown, more: Record<string, unknown> = {}) => ({
    Statement: [{ ...responderTrust('', 'id-1').Statement[0], Principal: principal, ...more }],
  });

  it('is right as the templates make it, also with the organisation', () => {
    expect(trustProblems(responderTrust(executor, 'id-1'), asked)).toEqual([]);
    expect(trustProblems(auditTrust(worker, 'id-1'), reading)).toEqual([]);
    const [statement] = auditTrust(worker, 'id-1').Statement;
    const StringEquals = { 'sts:ExternalId': 'id-1', 'aws:PrincipalOrgID': 'o-1' };
    expect(trustProblems({ Statement: { ...statement, Condition: { StringEquals } } }, reading)).toEqual([]);
  });

  it.each([
    [{ AWS: '*' }, 'it trusts everybody'],
    ['*', 'it trusts more, or something else, than one identity'],
    [{ Service: 'ec2.amazonaws.com' }, 'it trusts more, or something else, than one identity'],
    [{ AWS: executor, Service: 'ec2.amazonaws.com' }, 'it trusts more, or something else, than one identity'],
    [{ AWS: [executor, worker] }, 'it trusts 2 identities, and should trust one'],
    [{ AWS: 'AIDAEXAMPLE' }, 'it trusts AIDAEXAMPLE, which is no identity (was it deleted?)'],
    [{ AWS: `arn:aws:iam::${hub}:root` }, `it trusts everybody in account ${hub}`],
    [{ AWS: `arn:aws:iam::${hub}:role/ir/*` }, `it trusts arn:aws:iam::${hub}:role/ir/*, a pattern`],
    [
      { AWS: 'arn:aws:iam::999999999999:role/X' },
      `it trusts arn:aws:iam::999999999999:role/X, which is not in account ${hub}, where Firebreak runs`,
    ],
    [{ AWS: worker }, `it trusts ${worker}, which reads here and must not write`],
  ])('of %j is wrong', (principal, says) => {
    expect(trustProblems(trust(principal), asked)).toEqual([says]);
  });

  it('of the audit role is wrong for another identity than the one that asks', () => {
    expect(trustProblems(auditTrust(executor, 'id-1'), reading)).toEqual([
      `it trusts ${executor}, which is not who asks here`,
    ]);
  });

  it('lacks what it does not ask for, in every statement', () => {
    expect(trustProblems(trust({ AWS: executor }, { Condition: undefined }), asked)).toEqual(
      [
        ...['sts:externalid', 'sts:sourceidentity', 'aws:requesttag/ir-case', 'aws:requesttag/ir-plan'],
        ...['aws:requesttag/ir-requester', 'aws:requesttag/ir-approver', 'aws:tagkeys'],
      ].map((name) => `it does not ask for ${name} as it should`),
    );
    expect(trustProblems(responderTrust(executor, 'id-2'), asked)).toEqual([
      'it does not ask for sts:externalid as it should',
    ]);
    expect(trustProblems({ Statement: [] }, asked)).toEqual(['it lets nobody become the role']);
    expect(trustProblems(trust({ AWS: executor }, { Effect: 'Deny' }), asked)).toEqual([
      'it lets nobody become the role',
    ]);
  });

  it('names actions that are missing, and those that are not asked for', () => {
    expect(trustProblems(trust({ AWS: executor }, { Action: ['sts:AssumeRole', 'sts:GetX'] }), asked)).toEqual([
      'sts:SetSourceIdentity is missing',
      'sts:TagSession is missing',
      'it allows sts:GetX, which is not asked for',
    ]);
    expect(trustProblems(trust({ AWS: executor }, { Action: 'sts:*' }), asked)).toEqual([
      'it allows sts:*, which is not asked for',
    ]);
  });
});

describe('a long list', () => {
  it('is cut, and says how much is left', () => {
    expect(someOf(['a', 'b'])).toBe('a, b');
    expect(someOf(Array.from({ length: 17 }, (_, index) => `n${index}`))).toMatch(/^n0, .*n14 and 2 more$/);
  });
});
