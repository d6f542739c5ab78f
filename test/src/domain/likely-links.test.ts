/** Links that are likely, names that were used twice, and what stands in the place of an address. */
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { linksOf } from '../../../src/domain/links.ts';
import { pivotOver, record, session, user } from './pivot-records.ts';

const sessionArn = 'arn:aws:sts::999999999999:assumed-role/Deploy/run';
const caller = 'arn:aws:iam::999999999999:user/mallory';

function minting(at: string): CloudTrailRecord {
  return record({
    ...{ eventTime: at, eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', sourceIPAddress: '203.0.113.9' },
    userIdentity: user('mallory', '999999999999', 'AKIAEXAMPLEMALLORY01'),
    requestParameters: { roleArn: 'arn:aws:iam::999999999999:role/Deploy', roleSessionName: 'run' },
    responseElements: null,
  });
}

function call(began: string, key: string): CloudTrailRecord {
  const identity = session('Deploy', 'run', '999999999999', key);
  const context = identity.sessionContext as object;
  return record({
    ...{ eventTime: '2026-11-20T22:30:00Z', eventName: 'DescribeInstances', sourceIPAddress: '203.0.113.9' },
    userIdentity: { ...identity, sessionContext: { ...context, attributes: { creationDate: began } } },
  });
}

describe('a minting that hides its key', () => {
  it('is tied, as likely, to the key that began within two seconds of it, and to no other', async () => {
    const graph = await pivotOver(
      [
        minting('2026-11-20T22:00:00Z'),
        call('2026-11-20T22:00:02Z', 'ASIAEXAMPLENEAR00001'),
        call('2026-11-20T22:00:03Z', 'ASIAEXAMPLEFAR000001'),
      ],
      { kind: 'user', id: caller },
    );
    const likely = graph.edges.filter((edge) => edge.likely);

    expect(likely).toEqual([
      expect.objectContaining({ from: caller, to: 'ASIAEXAMPLENEAR00001', kind: 'minted', likely: true }),
    ]);
    expect(graph.edges).toContainEqual(expect.objectContaining({ from: caller, to: sessionArn, kind: 'assumed' }));
  });
});

describe('a name that was deleted and made again', () => {
  it('tells its unique ids apart', async () => {
    const acts = (principalId: string) =>
      record({
        eventName: 'GetUser',
        userIdentity: { ...user('mallory'), principalId },
        sourceIPAddress: '203.0.113.9',
      });
    const twice = await pivotOver([acts('AIDAEXAMPLEFIRST00001'), acts('AIDAEXAMPLESECOND0001')], {
      kind: 'user',
      id: caller,
    });
    const once = await pivotOver([acts('AIDAEXAMPLEFIRST00001')], { kind: 'user', id: caller });

    expect(twice.nodes.find(({ id }) => id === caller)?.uniqueIds).toEqual([
      'AIDAEXAMPLEFIRST00001',
      'AIDAEXAMPLESECOND0001',
    ]);
    expect(once.nodes.find(({ id }) => id === caller)?.uniqueIds).toBeUndefined();
  });
});

describe('the source address', () => {
  it.each([
    ['10.0.0.7', 'ip', '10.0.0.7'],
    ['2001:DB8:0:0::1', 'ip', '2001:db8::1'],
    ['cloudformation.amazonaws.com', 'service', 'cloudformation.amazonaws.com'],
    ['AWS Internal', undefined, undefined],
    ['AWS Internal/3', undefined, undefined],
    ['010.0.0.7', undefined, undefined],
    ['203.0.113.9, 10.0.0.1', undefined, undefined],
    ['', undefined, undefined],
  ])('%j is taken for what it is', (sourceIPAddress, kind, id) => {
    const { nodes, edges } = linksOf(record({ eventName: 'GetUser', userIdentity: user('mallory'), sourceIPAddress }));

    expect(nodes.filter((node) => node.kind === 'ip' || node.kind === 'service')).toEqual(kind ? [{ kind, id }] : []);
    expect(edges.some((edge) => edge.kind === 'used-ip')).toBe(kind === 'ip');
  });
});
