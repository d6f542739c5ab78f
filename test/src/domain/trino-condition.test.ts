/** SQL for Athena means what the matcher means, or leaves it to the matcher. No Athena runs here: its SQL runs in DuckDB (trail-table.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { catalogue, catalogueTests } from '../../../detections/index.ts';
import { changeable } from '../../../src/domain/athena/trino-condition.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { redactText } from '../../../src/domain/redaction.ts';
import { type Json, matcherOf } from '../../../src/domain/sigma/matcher.ts';
import { parseRules } from '../../../src/domain/sigma/parse.ts';
import { unsaid } from '../../../src/domain/sigma/rule-tests.ts';
import type { EventRule, Node } from '../../../src/domain/sigma/tree.ts';
import { readRuleFiles } from '../../../src/evidence/rule-files.ts';
import { root } from '../../fakes/folder.ts';
import { openFolder } from '../evidence/lake/lakes.ts';
import { anyEvent, anyNode, textsInBodies } from './any-rules.ts';
import { type Judged, openTrailTable } from './trail-table.ts';

const shared = join(root, '..', 'shared', 'data');

/** Returns how many verdicts were left to the matcher. */
function expectSame(node: Node, rows: readonly Judged[], lost: ReadonlySet<string>): number {
  const matches = matcherOf(node);
  let left = 0;
  for (const { record, original, verdict } of rows) {
    if (verdict === null) {
      left += 1;
      continue;
    }
    if (verdict !== matches(record as unknown as Json))
      expect({ node, record, sql: verdict }).toBe('as the matcher says');
    const first = parseRecord(original);
    if (lost.size === 0 && first.ok && verdict !== matches(first.record as unknown as Json))
      expect({ node, original, sql: verdict }).toBe('as the matcher says of the record before it was a row');
  }
  return left;
}

describe('conditions in SQL for Athena', { timeout: 300_000 }, () => {
  it('mean what the matcher means, for random rules and random events', async () => {
    const seed = Date.now();
    const table = await openTrailTable(fc.sample(anyEvent, { numRuns: 1_200, seed }));
    const nodes = [...fc.sample(anyNode, { numRuns: 600, seed }), ...textsInBodies];
    let [left, all] = [0, 0];
    for (let at = 0; at < nodes.length; at += 50) {
      const some = nodes.slice(at, at + 50);
      for (const [i, { rows, left: parts }] of (await table.verdicts(some)).entries()) {
        left += expectSame(some[i] as Node, rows, parts.lost);
        all += rows.length;
      }
    }
    // Else nothing would have been compared.
    expect(left / all, `seed ${seed}`).toBeLessThan(0.7);
    expect(all).toBeGreaterThan(500_000);
  });

  it('leave every text to the matcher that the door would change', () => {
    const part = fc.constantFrom(
      ...[
        '-----BEGIN RSA PRIVATE KEY-----',
        'xoxb-',
        'xapp-',
        'eyJ',
        'IQoJ',
        'X-Amz-Signature=',
        'secret',
        'SecretAccessKey',
        '=',
        ': "',
      ],
      ...[
        'a'.repeat(40),
        'abcdefgh',
        '.',
        '//',
        'user',
        ':',
        'pass',
        '@',
        'hooks.slack.com/',
        ' ',
        '\n',
        'aws_secret',
        '/',
        "'",
      ],
    );
    const pattern = new RegExp(changeable);
    let changed = 0;
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        if (redactText(text) === text) return;
        changed += 1;
        expect(text.toLowerCase()).toMatch(pattern);
      }),
      { numRuns: 20_000 },
    );
    expect(changed).toBeGreaterThan(500);
  });

  it('mean what the matcher means, for every case of the tests of our rules', async () => {
    const events = casesOf(catalogueTests().map(({ text }) => text));
    const rules = catalogue().rules.filter((rule): rule is EventRule => rule.kind === 'event');
    const table = await openTrailTable(events);
    const { undecided, matched } = await compared(table, rules);

    expect(events.length).toBeGreaterThan(1_500);
    // Every rule but those that count something else matches its own cases, by SQL or by what SQL leaves to the matcher.
    expect(matched).toBeGreaterThan(rules.length * 0.95);
    expect(undecided / (events.length * rules.length)).toBeLessThan(0.001);
  });

  it.skipIf(!existsSync(shared))(
    'mean what the matcher means, for the logs of others (skipped without ../shared/data)',
    async () => {
      const theirs = parseRules(await readRuleFiles(join(shared, 'sigma', 'rules')));
      const rules = [...catalogue().rules, ...theirs.rules].filter((rule): rule is EventRule => rule.kind === 'event');
      const records: Json[] = [];
      for await (const record of (await openFolder(join(shared, 'cloudtrail'))).all?.() ?? [])
        records.push(record as unknown as Json);
      const table = await openTrailTable(records);
      const { undecided, rows, matched } = await compared(table, rules);

      expect(rows).toBeGreaterThan(1_000);
      expect(matched).toBeGreaterThan(50);
      expect(undecided / (rows * rules.length)).toBeLessThan(0.02);
    },
  );
});

async function compared(table: Awaited<ReturnType<typeof openTrailTable>>, rules: readonly EventRule[]) {
  let [undecided, matched, rowsSeen] = [0, 0, 0];
  for (let at = 0; at < rules.length; at += 40) {
    const some = rules.slice(at, at + 40);
    for (const [i, { rows, left }] of (await table.verdicts(some.map(({ tree }) => tree))).entries()) {
      rowsSeen = rows.length;
      const tree = (some[i] as EventRule).tree;
      undecided += expectSame(tree, rows, left.lost);
      const matches = matcherOf(tree);
      if (rows.some(({ record, verdict }) => verdict !== false && matches(record as unknown as Json))) matched += 1;
    }
  }
  return { undecided, matched, rows: rowsSeen };
}

/** Every event of the files, with what a case leaves out filled in. */
function casesOf(files: readonly string[]): readonly Json[] {
  const filled = { eventTime: '2026-01-01T00:00:00Z', ...unsaid };
  const events: Json[] = [];
  for (const text of files)
    for (const document of parseAllDocuments(text, { version: '1.2', logLevel: 'silent' })) {
      const { match = [], miss = [] } = document.toJS() as { match?: unknown[]; miss?: unknown[] };
      for (const one of [...match, ...miss].flat() as Json[]) {
        const eventID = `00000000-0000-4000-8000-${String(events.length).padStart(12, '0')}`;
        events.push({ ...filled, eventID, ...((one.event as Json | undefined) ?? one) });
      }
    }
  return events;
}
