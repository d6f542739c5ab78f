import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { pivot } from '../../../workflows/investigation/pivot.ts';
import { evidenceOf, type Raw, record, session, sharedIp, user } from './pivot-records.ts';

const key = 'AKIAALICE2222222222A';
const alice = user('alice', '999999999999', key);
const tool = 'aws-cli/2.2.1 Python/3.8 evil';
const plot = ['RunInstances', 'DescribeImages', 'DescribeVpcs', 'CreateKeyPair'];

function calls(who: Raw, hour: number, userAgent: string, names: readonly string[]): CloudTrailRecord[] {
  return names.map((eventName, minute) =>
    record({
      eventTime: new Date(Date.UTC(2026, 10, 20, hour, minute)).toISOString(),
      eventName,
      userAgent,
      sourceIPAddress: sharedIp,
      userIdentity: who,
    }),
  );
}

/** An office address with thirty innocents, an accomplice and somebody with the same tool at another time. */
const innocents = Array.from({ length: 30 }, (_, n) =>
  calls(user(`staff-${n}`), n % 12, 'console.amazonaws.com', ['ListBuckets']),
).flat();
const accomplice = session('Accomplice', 'x');
const office = [
  ...calls(alice, 22, tool, plot),
  ...calls(accomplice, 22, tool, ['RunInstances', 'DescribeImages']),
  ...calls(session('Accomplice', 'y'), 22, tool, ['DescribeVpcs']),
  ...calls(user('same-tool'), 3, tool, ['ListBuckets']),
  ...innocents,
];

function run(target: Record<string, unknown>, records = office) {
  return pivot.run(pivot.target.parse({ artifact: key, ...target }), {
    evidence: evidenceOf(records),
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T23:00:00Z'),
  });
}

describe('behind a hub', () => {
  it('the other users are ranked by their likeness to the actor, the sessions of a role together', async () => {
    const { answer, parts } = await run({});
    const [first, second, third] = answer.neighbours;

    expect(answer.neighbours).toHaveLength(32);
    expect(first).toMatchObject({
      ip: sharedIp,
      principal: 'arn:aws:iam::999999999999:role/Accomplice',
      events: 3,
      followed: false,
      because: 'same user agent, in the same minutes, 3 of 4 kinds of call',
    });
    expect(second).toMatchObject({ principal: 'arn:aws:iam::999999999999:user/same-tool' });
    expect(third?.likeness).toBe(0);
    const words = JSON.stringify(parts);
    expect(words).toContain(`Other users of ${sharedIp}, most like the actor first`);
    expect(words).toContain('32 users of this address not followed: the scope stays open until each is judged.');
  });

  it('three of them can be followed by a click that names nobody', async () => {
    const { expansions } = await run({});

    expect(expansions?.slice(0, 3).map(({ label }) => label)).toEqual([
      'Follow no. 1 of 203.0.113.99',
      'Follow no. 2 of 203.0.113.99',
      'Follow no. 3 of 203.0.113.99',
    ]);
    expect(expansions?.[0]?.id).toBe('arn:aws:iam::999999999999:role/Accomplice');
  });

  it('following one brings in its sessions and nobody else', async () => {
    const { answer, expansions } = await run({ expand: ['arn:aws:iam::999999999999:role/Accomplice'] });
    const principals = answer.nodes.filter(({ kind }) => kind === 'user' || kind === 'session');

    expect(principals.map(({ id }) => id).sort()).toEqual(
      [alice.arn, accomplice.arn, session('Accomplice', 'y').arn].sort(),
    );
    expect(principals.every(({ expanded }) => expanded)).toBe(true);
    expect(answer.nodes.find(({ id }) => id === sharedIp)?.notExpandedBecause).toContain('shared address');
    expect(answer.neighbours.find(({ principal }) => principal.endsWith('Accomplice'))?.followed).toBe(true);
    expect(expansions?.map(({ id }) => id)).not.toContain('arn:aws:iam::999999999999:role/Accomplice');
  });

  it('a user can be followed as well', async () => {
    const { answer } = await run({ expand: ['arn:aws:iam::999999999999:user/same-tool'] });

    expect(answer.nodes.some(({ id, expanded }) => id.endsWith('user/same-tool') && expanded)).toBe(true);
    expect(answer.nodes.some(({ id }) => id.includes('staff'))).toBe(false);
  });

  it('an address under the limit is followed, so that nothing is left to click', async () => {
    const { answer, expansions } = await run({}, office.slice(0, 7));

    expect(answer.neighbours.every(({ followed }) => followed)).toBe(true);
    expect(expansions).toEqual([]);
  });
});
