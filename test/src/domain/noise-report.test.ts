import { expect, it } from 'vitest';
import type { NoiseRow } from '../../../src/contracts/noise.ts';
import { noiseReport } from '../../../src/domain/noise-report.ts';

const since = '2026-11-13T08:00:00.000Z';
const until = '2026-11-20T08:00:00.000Z';

it('counts every kind in its sums, and says that the table shows the largest only', () => {
  const row: NoiseRow = {
    accountId: '111122223333',
    type: 'Recon:EC2/Portscan',
    ...{ alerts: 2, cases: 1, cards: 1, lines: 0, snoozed: 0, falsePositives: 0, acknowledged: 0 },
  };
  const rows = Array.from({ length: 30 }, (_, n) => ({ ...row, type: `${row.type}.${n}` }));
  const muted = { ...row, alerts: 1, cards: 0, snoozed: 1 };

  const report = noiseReport([...rows, muted], since, until, []);

  expect(report.text).toContain('61 alerts in 31 cases: 30 cards, 0 lines of digests, 1 snoozed');
  const table = report.parts.find((part) => part.kind === 'table');
  expect(table?.kind === 'table' && table.rows).toHaveLength(20);
  expect(JSON.stringify(report)).toContain('Shown are the 20 largest of 31 kinds; the sums are of all.');
});
