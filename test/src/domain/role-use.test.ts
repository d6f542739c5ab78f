import { describe, expect, it } from 'vitest';
import type { Artifact } from '#src/contracts/artifact.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import type { Evidence } from '#src/contracts/evidence.ts';
import { useRecordsOf } from '#src/domain/role-use.ts';
import { useOver } from '#src/domain/use.ts';
import { watched, watchWords } from '#src/domain/watch.ts';
import { openLookupEvidence } from '#src/evidence/lookup.ts';
import { eventHistory } from '../evidence/event-history.ts';
import { quiet, sample, sessionSample } from '../evidence/samples.ts';

const account = '111122223333';
const role: Artifact = { kind: 'role', id: `arn:aws:iam::${account}:role/team/ops` };
const now = new Date('2026-11-21T00:00:00Z');

/** alice takes the role under this name. */
function taken(session: string, at: string) {
  return sample({
    at,
    extra: {
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      requestParameters: { roleArn: role.id, roleSessionName: session },
      responseElements: {
        assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/ops/${session}` },
        credentials: { accessKeyId: 'ASIAQNZGKIQY56JQ7WML', expiration: 'Nov 20, 2026, 11:00:00 PM' },
      },
    },
  });
}

async function open(records: readonly Record<string, unknown>[]): Promise<Evidence> {
  const history = await eventHistory({ [account]: records });
  return openLookupEvidence({
    reach: history.reach,
    accounts: [account],
    window: { from: '2026-11-14T00:00:00Z', to: now.toISOString() },
    budget: { maxRequests: 1_000, maxEvents: 10_000 },
    reserveSlot: async () => 0,
    clock: { now: () => now, sleep: async () => undefined },
    signal: new AbortController().signal,
    log: quiet,
  });
}

describe('what a role did, from LookupEvents', () => {
  const calls = [taken('mallory', '2026-11-20T20:00:00Z'), sessionSample('mallory', { at: '2026-11-20T21:30:00Z' })];

  it('is what its sessions did: a role that is in use is not told as unused, nor as silent after a containment', async () => {
    const { records, coverage } = await useRecordsOf(role, await open(calls));

    expect(useOver(records, role, now, coverage.complete)[0]).toMatch(/^1 call by it in 7 days/);
    const since = { sentAt: '2026-11-20T21:00:00.000Z', until: '2026-11-21T09:00:00.000Z' };
    const seen = watched(records as readonly CloudTrailRecord[], role, since, now);
    expect(watchWords({ ...seen, holds: true, missing: undefined })).toMatch(/^STILL ACTIVE: 1 call succeeded/);
  });

  it('says so where it was taken under more names than are asked for', async () => {
    const many = Array.from({ length: 23 }, (_, i) => taken(`s-${i}`, '2026-11-20T20:00:00Z'));
    const { coverage, left } = await useRecordsOf(role, await open(many));

    expect([coverage.complete, left]).toEqual([false, `3 more session names of the role ${role.id}`]);
  });
});
