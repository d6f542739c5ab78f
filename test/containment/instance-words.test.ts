/** What an approver is told of an instance: connections that outlive the change, owners that anybody could have written. */
import type { Instance, IpPermission } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../src/contracts/cloudtrail.ts';
import { backgroundOf } from '../../workflows/containment/instance/background.ts';
import { instanceIn } from '../../workflows/containment/instance/instance-of.ts';
import { trackedWays } from '../../workflows/containment/instance/interfaces.ts';
import { scalingWords } from '../../workflows/containment/instance/leave.ts';
import { removeInstanceProfile } from '../../workflows/containment/remove-instance-profile.ts';
import { revokeInstanceSession } from '../../workflows/containment/revoke-instance-session.ts';
import { terminateInstance } from '../../workflows/containment/terminate-instance.ts';

const everything: IpPermission = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
const web: IpPermission = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
const office: IpPermission = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '10.0.0.0/8' }] };

describe('connections that outlive a change of security groups', () => {
  it.each<[string, IpPermission[], IpPermission[], string[]]>([
    ['everything both ways', [everything], [everything], []],
    ['the web in, everything out', [web], [everything], ['out']],
    ['the office in, everything out', [office], [everything], ['in', 'out']],
    ['the web in, nothing out', [web], [], ['in']],
    ['nothing', [], [], []],
  ])('are those that a rule tracks: %s', (_what, IpPermissions, IpPermissionsEgress, tracked) => {
    expect(trackedWays([{ IpPermissions, IpPermissionsEgress }])).toEqual(tracked);
  });

  it('are all of them where a group could not be read', () => {
    expect(trackedWays([{ IpPermissions: [everything], IpPermissionsEgress: [everything] }, undefined])).toEqual([
      'in',
      'out',
    ]);
  });
});

describe('the owner of an instance', () => {
  const instance: Instance = { Tags: [{ Key: 'Owner', Value: '<!channel> shop\nteam' }] };
  const set = {
    eventName: 'CreateTags',
    eventTime: '2026-11-20T22:00:00Z',
    userIdentity: { arn: 'arn:aws:iam::999999999999:user/pipeline' },
    requestParameters: { tagSet: { items: [{ key: 'Owner', value: 'shop' }] } },
  } as unknown as CloudTrailRecord;

  it('is told with who wrote it, so that an attacker cannot name one', () => {
    const lines = backgroundOf(instance, { targets: [], balancers: [] }, [set]);

    expect(lines[0]).toContain('user/pipeline set it at 2026-11-20T22:00:00Z');
    expect(lines[0]).not.toMatch(/\n|<!channel>/);
  });

  it('is told with that nobody knows who wrote it, where the logs do not say', () => {
    const lines = backgroundOf(instance, { targets: [], balancers: [] }, [
      { ...set, errorCode: 'UnauthorizedOperation' },
    ]);

    expect(lines[0]).toContain('who set it is not in the logs');
  });
});

it('calls an instance refused by our policy only, and not by another under its name', () => {
  const target = { instanceId: 'i-0aa11bb22cc33dd44', roleName: 'web', region: 'eu-west-1', accountId: '' };
  const instanceArn = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0aa11bb22cc33dd44';
  const words = (statement: object) => {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    const state = { document, instanceArn, roleName: 'web', partition: 'aws', profileArn: '' } as never;
    return [revokeInstanceSession, removeInstanceProfile].map((action) => action.describe(target, state));
  };
  const deny = { Sid: 'FirebreakRevokeInstance', Effect: 'Deny', Action: '*', Resource: '*' };

  const ours = words({ ...deny, Condition: { ArnEquals: { 'ec2:SourceInstanceARN': instanceArn } } });
  for (const one of ours) expect(one).toContain('is refused the role web');
  for (const one of words({ ...deny, Effect: 'Allow' })) expect(one).toContain('may use the role web');
});

it('says which volumes go with a terminated instance, and which stay', () => {
  const volumes = [
    { id: 'vol-1', device: '/dev/xvda', deleteOnTermination: true },
    { id: 'vol-2', device: '/dev/sdf', deleteOnTermination: false },
  ];
  const lines = terminateInstance.willNotStop({ volumes, scaling: null } as never);

  expect(lines[0]).toBe('The volume vol-1 (/dev/xvda) is deleted with it: take a snapshot before.');
  expect(lines[1]).toBe('The volume vol-2 (/dev/sdf) stays, and goes on costing.');
});

it('says what a group does to a member that it is still launching', () => {
  const scaling = { group: 'g', lifecycle: 'Pending:Wait', desired: 1, min: 0, max: 2, suspended: [] };

  expect(scalingWords(scaling, false)).toEqual([
    expect.stringContaining('Pending:Wait, which this plan cannot take out'),
  ]);
  expect(scalingWords({ ...scaling, lifecycle: 'InService', suspended: ['Launch'] }, false).at(-1)).toContain(
    'launches nothing in its place',
  );
});

it.each([
  'i-123',
  'I-0f1ee70000000a001',
  'arn:aws:ec2:eu-west-1:999999999999:volume/vol-0f1ee70000000a001',
  '',
  'i-0f1ee70000000a00g',
])('takes "%s" for no instance', (word) => {
  expect(() => instanceIn(word, 'stop-instance i-...')).toThrow(expect.objectContaining({ name: 'UserError' }));
});
