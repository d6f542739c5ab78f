/** The audit's head in a locking bucket, by the doors: serve, /readyz, /metrics, doctor, and `audit verify` of a chain that its owner rewrote. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import type { AuditRow } from '../../src/contracts/store.ts';
import { chainAuditEntry, genesisHash } from '../../src/domain/audit-chain.ts';
import { until } from '../support/databases.ts';
import { run, sql } from '../support/doors.ts';
import { bucketName, type LockingBucket, startLockingBucket } from '../support/locking-bucket.ts';
import { openScene, type Scene } from '../support/scene.ts';

const { rosa, alerts } = demoIds;
const audit = { anchor: { bucket: bucketName, prefix: 'ours/', region: 'eu-west-1' } };

let s3: LockingBucket;
let scene: Scene;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firebreak-anchor-'));
  s3 = await startLockingBucket();
  s3.mood = 'down';
  const aws = { backgroundEvents: 0 };
  scene = await openScene({ aws, start: false, env: { AWS_ENDPOINT_URL_S3: s3.url } });
  await scene.start({ config: config() });
});
afterAll(async () => {
  await scene?.close();
  await s3?.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Without a responder role: the doctor tries to become it, and the watch of responder sessions, a minute after the start, would
 * open a case about that and so add an entry in the middle of a test.
 */
function config() {
  const { id, auditRole, externalId } = scene.aws.accounts.workshop;
  return { ...configFor(scene.aws), accounts: [{ id, auditRole, externalId }], audit };
}

function command(words: readonly string[]) {
  const path = join(folder, 'firebreak.yml');
  writeFileSync(path, stringify({ ...config(), regions: ['us-east-1'] }));
  const more = { AWS_ENDPOINT_URL_S3: s3.url, FIREBREAK_CONFIG: path, FIREBREAK_DATA_DIR: scene.dataDir };
  return run(words, { env: { ...environmentFor(scene.aws, scene.slack), ...more } });
}

interface Ready {
  readonly ok: boolean;
  readonly parts: { readonly anchor: { readonly ok: boolean; readonly because?: string; readonly required: boolean } };
}
async function readyz(): Promise<{ status: number; anchor: Ready['parts']['anchor'] }> {
  const answer = await fetch(`${scene.firebreak.url}/readyz`);
  return { status: answer.status, anchor: ((await answer.json()) as Ready).parts.anchor };
}
const metrics = async () => (await fetch(`${scene.firebreak.url}/metrics`)).text();

/** As somebody with the owner's password does: the entry goes, and all after it is hashed anew. */
async function rewriteWithout(seq: number): Promise<void> {
  const rows = await sql<{ event: string; actor: string; at: string; payload: AuditRow['payload'] }>(
    scene,
    'select event, actor, at, payload from audit where seq <> $1 order by seq',
    [seq],
  );
  await sql(scene, 'alter table audit disable trigger audit_append_only');
  await sql(scene, 'delete from audit');
  let prev = genesisHash;
  for (const [index, entry] of rows.entries()) {
    const row = chainAuditEntry(entry, index + 1, prev);
    prev = row.hash;
    await sql(
      scene,
      'insert into audit (seq, event, actor, at, payload, prev_hash, hash) values ($1, $2, $3, $4, $5, $6, $7)',
      [row.seq, row.event, row.actor, row.at, JSON.stringify(row.payload), row.prevHash, row.hash],
    );
  }
}

describe('the anchor of the audit', () => {
  it('holds up nothing while S3 is down, and is told by /readyz, the metrics and the doctor', async () => {
    await scene.slack.slash(rosa, alerts, 'freeze a laptop was stolen');
    await until('the failure is noted', async () => (await metrics()).includes('anchors{result="failed"} 1'), 30_000);

    const { status, anchor } = await readyz();
    expect(status).toBe(200);
    expect(anchor).toMatchObject({ ok: false, required: false });
    expect(anchor.because).toContain('(ServiceUnavailable) since');
    expect(JSON.stringify(anchor)).not.toContain(bucketName);
    expect(await sql(scene, "select 1 from audit where event = 'freeze'")).toHaveLength(1);
    const verified = await command(['audit', 'verify']);
    expect(verified.code).toBe(3);
    expect(verified.stdout).toMatch(/The chain of \d+ entries is whole[\s\S]*NOT LOOKED AT[\s\S]*ServiceUnavailable/);
    expect((await command(['audit', 'verify', '--no-anchors'])).code).toBe(0);
    const doctor = await command(['doctor']);
    expect(doctor.stdout).toMatch(/FAIL {2}audit anchor: .*ServiceUnavailable/);
  }, 90_000);

  it('is written when S3 is back, and the chain holds it', async () => {
    s3.mood = 'well';
    // Instead of waiting for two minutes.
    await sql(scene, "delete from settings where key = 'audit-anchor'");
    await until('it is anchored', async () => (await metrics()).includes('anchors{result="written"} 1'), 30_000);

    expect(s3.versions).toMatchObject([
      { mode: 'COMPLIANCE', key: expect.stringMatching(/^ours\/0+1-[0-9a-f]{64}\.json$/) },
    ]);
    expect(await readyz()).toEqual({ status: 200, anchor: { ok: true, required: false } });
    const verified = await command(['audit', 'verify']);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('It holds 1 of 1 anchored heads')]);
    expect((await command(['doctor'])).stdout).toMatch(
      /ok {4}audit anchor: .*Object Lock; the last was written for entry 1/,
    );
    s3.mood = 'unlocked';
    expect((await command(['doctor'])).stdout).toMatch(/FAIL {2}audit anchor: .*Object Lock is not on/);
    s3.mood = 'well';
  }, 90_000);

  it('finds a chain that the owner of the database rewrote, also where the anchor was deleted meanwhile', async () => {
    await scene.slack.slash(rosa, alerts, 'freeze once more');
    await until('a second entry', async () => (await sql(scene, 'select 1 from audit')).length === 2);
    const exported = join(folder, 'audit.jsonl');
    writeFileSync(exported, (await command(['audit', 'export'])).stdout);

    await rewriteWithout(1);
    s3.hide(s3.versions[0]?.key ?? '');

    const alone = await command(['audit', 'verify', '--no-anchors']);
    expect([alone.code, alone.stdout]).toEqual([0, expect.stringContaining('The chain of 1 entries is whole')]);
    const found = await command(['audit', 'verify']);
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/BROKEN: the chain does not hold entry 1, [0-9a-f]{64}, which s3:/);
    expect(found.stdout).toContain('Somebody deleted 1 of the objects');
    const before = await command(['audit', 'verify', exported, '--anchors']);
    expect([before.code, before.stdout]).toEqual([0, expect.stringContaining('It holds 1 of 1 anchored heads')]);
  }, 90_000);

  it('says of a file that is older than an anchor, and of an empty bucket, that it cannot tell', async () => {
    const empty = join(folder, 'empty.jsonl');
    writeFileSync(empty, '');
    const older = await command(['audit', 'verify', empty, '--anchors']);
    expect([older.code, older.stdout]).toEqual([3, expect.stringContaining('1 anchors are of later entries')]);

    s3.versions.splice(0);
    const none = await command(['audit', 'verify', empty, '--anchors']);
    expect([none.code, none.stdout]).toEqual([3, expect.stringContaining('There is no anchor in s3:')]);
  }, 90_000);
});
