import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/contracts/evidence.ts';
import { addressUseOf } from '../../../../src/domain/address-use.ts';
import { pivot } from '../../../../workflows/investigation/pivot.ts';
import { folderOf, sample, sessionSample } from '../samples.ts';
import { importFolder, openFolder, openLake, tempDir } from './lakes.ts';

const hub = '198.51.100.77';

/** Identities of every sort, as the records of a shared address may have them. */
const identity = fc.constantFrom<Record<string, unknown>>(
  { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
  { type: 'AWSAccount', accountId: '999999999999', principalId: 'AIDAX' },
  { type: 'SAMLUser', principalId: 'abc:bob', userName: 'bob', identityProvider: 'idp' },
  { type: 'WebIdentityUser', userName: 'x"y', identityProvider: 'accounts.google.com' },
  { type: 'IdentityCenterUser', onBehalfOf: { userId: 'u-1', identityStoreArn: 'arn:x' }, credentialId: 'c' },
  { type: 'IdentityCenterUser', credentialId: 'c-2' },
  { type: 'Root', accountId: '111122223333' },
  { type: 'Role', arn: 'arn:aws:iam::111122223333:role/ops' },
  { type: 'Unknown' },
  { type: 'IAMUser', accountId: 111122223333, arn: 'arn:aws:iam::111122223333:user/zoë' },
);

const spice = fc.record({
  n: fc.nat({ max: 40 }),
  sort: fc.constantFrom('user', 'session', 'other', 'again'),
  who: identity,
  agent: fc.constantFrom('aws-cli/2.2.1 evil', 'Boto3/1.3', '', null, 7, '[console "x"]'),
  name: fc.constantFrom('ListBuckets', 'GetCallerIdentity'),
  minute: fc.nat({ max: 50 }),
  ip: fc.constantFrom(hub, hub, hub, '203.0.113.9'),
});

describe('the use of an address', () => {
  it('is the same from the lake as from the records themselves, and so is a pivot with or without it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spice, { minLength: 30, maxLength: 60 }), async (spices) => {
        const records: Record<string, unknown>[] = [];
        for (const { n, sort, who, agent, name, minute, ip } of spices) {
          const more = { userAgent: agent, eventTime: `2026-11-20T12:${String(minute).padStart(2, '0')}:00.500Z` };
          if (sort === 'again' && records.length > 0) records.push({ ...records[n % records.length] });
          else if (sort === 'session') records.push({ ...sessionSample(`s${n}`, { ip, name }), ...more });
          else if (sort === 'user') records.push({ ...sample({ user: `u${n}`, ip, name }), ...more });
          else records.push({ ...sample({ ip, name }), userIdentity: who, ...more });
        }
        const crowd = Array.from({ length: 1100 }, (_, i) => sample({ user: `staff-${i % 45}`, ip: hub }));
        const actor = [sample({ user: 'alice', ip: hub }), sample({ user: 'alice', ip: '203.0.113.9' })];
        const dir = await folderOf({
          'a.json.gz': gzipSync(JSON.stringify({ Records: [...records, ...crowd.slice(0, 600)] })),
          'b.json.gz': gzipSync(JSON.stringify({ Records: [...crowd.slice(500), ...actor, ...records.slice(0, 20)] })),
        });
        const dataDir = await tempDir();
        await importFolder(dir, dataDir);
        const [folder, lake] = [await openFolder(dir), await openLake(dataDir)];
        const read = await folder.recordsOf({ kind: 'ip', id: hub });
        const summed = await lake.addressUse?.(hub, 20);
        expect(lake.progress().eventsRead).toBe(0);
        expect(summed).toEqual(addressUseOf(hub, read));
        expect(await lake.addressUse?.(hub, 500)).toBeUndefined();

        const whole = await openLake(dataDir);
        const withoutUse: Evidence = {
          recordsOf: (artifact) => whole.recordsOf(artifact),
          coverage: () => whole.coverage(),
          progress: () => whole.progress(),
        };
        const answers = await Promise.all(
          [folder, lake, withoutUse].map(async (evidence) => [
            await closure(evidence, {}),
            await closure(evidence, { expand: ['arn:aws:iam::111122223333:user/staff-7'] }),
          ]),
        );
        expect(answers[1]).toEqual(answers[0]);
        expect(answers[2]).toEqual(answers[0]);
        const node = answers[0]?.[0]?.nodes.find(({ id }) => id === hub);
        expect(node).toMatchObject({ expanded: false, events: read.length });
        expect(answers[0]?.[1]?.nodes.map(({ id }) => id)).toContain('arn:aws:iam::111122223333:user/staff-7');
      }),
      { numRuns: 6 },
    );
  });
});

async function closure(evidence: Evidence, more: Record<string, unknown>) {
  const target = pivot.target.parse({ artifact: 'arn:aws:iam::111122223333:user/alice', ...more });
  const { answer } = await pivot.run(target, {
    evidence,
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-21T00:00:00Z'),
  });
  const { nodes, edges, events, neighbours, headline } = answer;
  return { nodes, edges, events, neighbours, headline };
}
