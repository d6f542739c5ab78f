/** Many runs on one real database, whose audit chain is verified after each. */
import type { AuditRow, Store } from '../../../src/contracts/store.ts';
import { genesisHash, verifyAuditRows } from '../../../src/domain/audit-chain.ts';
import { openStore } from '../../../src/store/store.ts';
import { runSql, silentLog, startTestDatabase } from '../databases.ts';
import { type RunResult, runOnce } from './run.ts';
import { secret, voters } from './world.ts';

const firstDay = Date.parse('2026-01-01T00:00:00Z');
const dayMs = 24 * 3_600_000;

export interface Runs {
  run(seed: number): Promise<RunResult>;
  figures(): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

export async function openRuns(): Promise<Runs> {
  const database = await startTestDatabase();
  const { connectionString } = database;
  // No run ends the server, so it may answer before its log is on the disk.
  const fast = `${connectionString}?options=-c%20synchronous_commit%3Doff`;
  const store = await openStore({ connectionString: fast, log: silentLog, applicationName: 'runs' });
  const enrolledAt = new Date(firstDay - dayMs).toISOString();
  for (const userId of voters) {
    await store.stepUp.enroll({ userId, secret, enrolledAt, activeAt: enrolledAt, enrolledBy: 'runs' }, undefined);
  }
  const states = new Set<string>();
  const ends = new Map<string, number>();
  let head = { seq: 0, hash: genesisHash };
  let [done, writes, crashes] = [0, 0, 0];
  return {
    async run(seed) {
      const result = await runOnce(store, seed, firstDay + done * 7 * dayMs);
      done += 1;
      writes += result.writes;
      crashes += result.crashes;
      for (const state of result.states) states.add(state);
      for (const end of result.ends) ends.set(end, (ends.get(end) ?? 0) + 1);
      const rows = await auditAfter(store, head.seq);
      const verdict = verifyAuditRows(rows, head);
      const last = rows.at(-1);
      if (last !== undefined) head = { seq: last.seq, hash: last.hash };
      // What a run leaves must not disturb the next one. The audit stays: its chain goes over all of them.
      await runSql(connectionString, 'truncate approvals, containment_requests, vote_requests cascade');
      if (verdict.ok) return result;
      return { ...result, violation: result.violation ?? `the audit does not verify: ${verdict.because}` };
    },
    figures: () => ({
      runs: done,
      states: states.size,
      ends: Object.fromEntries([...ends].sort()),
      writes,
      crashes,
      auditEntries: head.seq,
    }),
    async close() {
      await store.close();
      await database.stop();
    },
  };
}

async function auditAfter(store: Store, seq: number): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  for (;;) {
    const page = await store.audit.read(rows.at(-1)?.seq ?? seq, 1_000);
    if (page.length === 0) return rows;
    rows.push(...page);
  }
}
