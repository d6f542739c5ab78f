/** One pass over CloudTrail in Athena: for what the lake may vouch after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { AthenaQuestions } from '../../../../src/contracts/athena.ts';
import { trailColumns } from '../../../../src/domain/athena/queries.ts';
import { AthenaSection } from '../../../../src/domain/athena/settings.ts';
import { athenaEvidence } from '../../../../src/evidence/athena/pass.ts';
import { openLakeEvidence } from '../../../../src/evidence/lake/lake.ts';
import { quietLog } from '../../../fakes/quiet-log.ts';

const settings = AthenaSection.parse({
  ...{ accountId: '111122223333', region: 'us-east-1', workgroup: 'w', database: 'd' },
  tables: { cloudtrail: 'trail' },
});
const window = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };
const cells: Readonly<Record<string, string>> = {
  ...{ eventversion: '1.11', eventid: 'e-1', eventtime: '2026-11-20T00:01:00Z', eventsource: 'iam.amazonaws.com' },
  ...{ eventname: 'ListUsers', awsregion: 'us-east-1', sourceipaddress: '203.0.113.9' },
  ...{ recipientaccountid: '111122223333', useridentity: '{"type":"IAMUser","accountid":"111122223333"}' },
};

it('says of which accounts there was no record, and lets the lake vouch for none of them', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'firebreak-pass-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const accounts = ['111122223333', '444455556666'];
  const athena: AthenaQuestions = {
    scope: async () => ({ accounts, regions: ['us-east-1'], ...window }),
    named: () => {
      throw new Error('not asked');
    },
    heard: () => {
      throw new Error('not asked');
    },
    dollars: () => 0,
    estimate: async () => ({ bytes: undefined, because: '' }),
    ask: async () => ({
      ...{ columns: trailColumns, truncated: false, queryExecutionId: 'q', bytes: 1 },
      rows: [trailColumns.map((column) => cells[column])],
    }),
    spent: () => ({ bytes: 0, dollars: 0, queries: 0 }),
  };
  const signal = new AbortController().signal;
  const now = () => new Date('2026-11-22T00:00:00Z');
  const asked = { athena, settings, dataDir, maxEvents: 10, now, log: quietLog, signal, isEveryRegion: true };
  const evidence = await athenaEvidence(asked);
  expect(evidence.coverage()).toMatchObject({
    complete: false,
    notLookedAt: expect.arrayContaining([
      'CloudTrail of account 444455556666: Athena has no record of it in that time',
    ]),
  });

  const lakeOf = async (account: string) =>
    (await openLakeEvidence({ dataDir, window, accounts: [account], maxEvents: 10, log: quietLog, signal })).coverage();
  expect((await lakeOf('111122223333')).complete).toBe(true);
  expect((await lakeOf('444455556666')).complete).toBe(false);
});
