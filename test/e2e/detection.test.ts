/** Detection in the stream through its doors: records in by EventBridge or the lake, one card out, whatever happens in between. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { eventually, idle } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';
import { testFolder } from '../support/test-folder.ts';

const { alerts, critical } = demoIds;
const account = '999999999999';
let numbers = 0;

function record(
  eventName: string,
  eventSource: string,
  more: Readonly<Record<string, unknown>> = {},
  user = 'mallory',
  at = Date.now() - 60_000,
) {
  numbers += 1;
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${user.toUpperCase()}`,
      arn: `arn:aws:iam::${account}:user/${user}`,
      accountId: account,
      accessKeyId: 'AKIAIOSFODNN7EXAMPL2',
      userName: user,
    },
    eventTime: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
    eventSource: `${eventSource}.amazonaws.com`,
    eventName,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.23',
    userAgent: 'aws-cli/2.17.0',
    requestParameters: {},
    responseElements: null,
    requestID: `r-${numbers}`,
    eventID: `00000000-0000-4000-8000-${String(numbers).padStart(12, '0')}`,
    readOnly: /^(Get|List|Describe)/.test(eventName),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    ...more,
  };
}

type Raw = ReturnType<typeof record>;

function envelope(detail: Raw) {
  return {
    version: '0',
    id: `e-${detail.eventID}`,
    'detail-type': 'AWS API Call via CloudTrail',
    source: `aws.${detail.eventSource.split('.')[0]}`,
    account,
    time: detail.eventTime,
    region: 'us-east-1',
    resources: [],
    detail,
  };
}

function terminated(ids: readonly string[], user: string, at: number): Raw {
  const items = ids.map((instanceId) => ({ instanceId, currentState: { code: 32, name: 'shutting-down' } }));
  return record('TerminateInstances', 'ec2', { responseElements: { instancesSet: { items } } }, user, at);
}

function instances(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `i-0${String(from + i).padStart(16, '0')}`);
}

function cardsAbout(scene: Scene, word: string): readonly Message[] {
  return [alerts, critical].flatMap((channel) =>
    scene.slack.messages(channel).filter((message) => wordsOf(message).includes(word) && hasButton(message, 'pivot')),
  );
}

async function quiet(scene: Scene): Promise<void> {
  await eventually('every record is judged', async () => {
    const [row] = await sql<{ n: string }>(scene, 'select count(*) as n from stream_records where handled_at is null');
    return row?.n === '0';
  });
  await idle(scene);
}

describe('detection in the stream', () => {
  let scene: Scene;
  const rules = mkdtempSync(join(tmpdir(), 'firebreak-rules-'));
  beforeAll(async () => {
    writeFileSync(join(rules, 'broken.yml'), 'title: Broken\ndetection:\n  condition: nothing and (\n');
    writeFileSync(
      join(rules, 'own.yml'),
      `title: "Our own <rule>"\nname: our-own-rule\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  selection:\n    eventName: FrobnicateWidget\n  condition: selection\nlevel: high\n`,
    );
    scene = await openScene({
      aws: { backgroundEvents: 0 },
      config: { rules: { folders: [rules] } },
    });
  });
  afterAll(async () => {
    await scene?.close();
    rmSync(rules, { recursive: true, force: true });
  });

  const send = async (raw: Raw): Promise<number> => (await scene.send(envelope(raw))).status;

  it('opens one case for a grave event, with rule, level, technique, principal, address and event', async () => {
    const raw = record('StopLogging', 'cloudtrail', { requestParameters: { name: 'main' } });
    expect(await send(raw)).toBe(202);

    const card = await scene.slack.waitFor(() => cardsAbout(scene, 'cloudtrail-logging-stopped')[0], 15_000);

    for (const word of ['Critical', 'T1562.008', 'Defense Evasion', 'mallory', '198.51.100.23', raw.eventID, account])
      expect(wordsOf(card)).toContain(word);
  });

  it('says nothing again when the same event comes again, by whatever envelope', async () => {
    const raw = record('StopLogging', 'cloudtrail', {}, 'trudy');
    expect(await send(raw)).toBe(202);
    await scene.slack.waitFor(() => cardsAbout(scene, 'trudy')[0], 15_000);
    expect(await send(raw)).toBe(202);
    expect((await scene.send({ ...envelope(raw), id: 'another' })).status).toBe(202);
    await quiet(scene);

    expect(cardsAbout(scene, 'trudy')).toHaveLength(1);
    expect(wordsOf(cardsAbout(scene, 'trudy')[0])).toContain('once');
  });

  it('puts what one principal does next into the same case', async () => {
    expect(await send(record('DeleteFlowLogs', 'ec2', { requestParameters: { flowLogId: 'fl-1' } }, 'mallory'))).toBe(
      202,
    );

    const card = await scene.slack.waitFor(() => cardsAbout(scene, 'vpc-flow-logs-deleted')[0], 15_000);

    expect(wordsOf(card)).toContain('cloudtrail-logging-stopped');
    expect(cardsAbout(scene, 'mallory')).toHaveLength(1);
  });

  it('opens no case for what only reads, and for what comes a week late', async () => {
    for (const name of ['ListBuckets', 'DescribeVolumes'])
      expect(await send(record(name, 's3', {}, 'reader'))).toBe(202);
    expect(await send(record('ListBuckets', 's3', {}, 'late', Date.now() - 8 * 86_400_000))).toBe(202);
    await quiet(scene);

    expect(cardsAbout(scene, 'reader')).toEqual([]);
    expect(cardsAbout(scene, 'late')).toEqual([]);
  });

  it('heeds rules of the operator, and is not harmed by a broken one', async () => {
    expect(await send(record('FrobnicateWidget', 'widgets', {}, 'walter'))).toBe(202);

    const card = await scene.slack.waitFor(() => cardsAbout(scene, 'our-own-rule')[0], 15_000);

    expect(card.text).toContain('High');
    expect(scene.firebreak.log()).toContain('broken.yml');
  });

  it('fires at 20 distinct instances in 300 seconds of event time, in any order and late, and only once over kill -9', async () => {
    const began = Date.now() - 19 * 60_000;
    // 19 instances, some of them twice, over 299 s: no burst.
    const below = [
      terminated(instances(0, 10), 'ender', began),
      terminated(instances(5, 10), 'ender', began + 100_000),
      terminated(instances(15, 4), 'ender', began + 299_000),
    ];
    for (const raw of below.reverse()) expect(await send(raw)).toBe(202);
    await quiet(scene);
    expect(cardsAbout(scene, 'instances-terminated-in-burst')).toEqual([]);
    const twentiethTooLate = terminated(instances(19, 1), 'ender', began + 301_000);
    expect(await send(twentiethTooLate)).toBe(202);
    await quiet(scene);
    expect(cardsAbout(scene, 'instances-terminated-in-burst')).toEqual([]);

    await scene.firebreak.kill();
    await scene.start();
    // A late event of another instance completes it.
    expect(await send(terminated(instances(30, 1), 'ender', began + 50_000))).toBe(202);
    await scene.firebreak.kill();
    await scene.start();
    const card = await scene.slack.waitFor(() => cardsAbout(scene, 'instances-terminated-in-burst')[0], 30_000);

    await quiet(scene);
    expect(wordsOf(card)).toContain('20 counted');
    expect(cardsAbout(scene, 'instances-terminated-in-burst')).toHaveLength(1);
    const bursts = await sql<{ n: string }>(
      scene,
      `select count(*) as n from stream_bursts where correlation = 'instances-terminated-in-burst'`,
    );
    expect(bursts).toEqual([{ n: '1' }]);
    const [cases] = await sql<{ n: string }>(
      scene,
      `select count(*) as n from cases where alert->>'source' = 'detection' and alert::text like '%ender%'`,
    );
    expect(cases).toEqual({ n: '1' });
  });

  it('makes one case of a flood', { timeout: 120_000 }, async () => {
    const raws = Array.from({ length: 600 }, (_, i) =>
      record('DeleteTrail', 'cloudtrail', { requestParameters: { name: `t${i}` } }, 'flooder', Date.now() - i * 100),
    );
    for (let at = 0; at < raws.length; at += 20) {
      const statuses = await Promise.all(raws.slice(at, at + 20).map(send));
      expect(new Set(statuses)).toEqual(new Set([202]));
    }
    await quiet(scene);

    const cases = await sql<{ n: string }>(scene, `select count(*) as n from cases where alert::text like '%flooder%'`);
    expect(cases).toEqual([{ n: '1' }]);
    expect(cardsAbout(scene, 'flooder')).toHaveLength(1);
    const told = await sql<{ n: number }>(
      scene,
      `select count(*)::int as n from alerts where alert::text like '%flooder%'`,
    );
    expect(told[0]?.n).toBeLessThan(60);
  });

  it('looks at what is newly imported into the lake', { timeout: 120_000 }, async () => {
    const logs = testFolder();
    const raws = [
      record('DeleteDetector', 'guardduty', { requestParameters: { detectorId: 'd' } }, 'laker'),
      record(
        'DeleteDetector',
        'guardduty',
        { requestParameters: { detectorId: 'd' } },
        'ancient',
        Date.now() - 40 * 86_400_000,
      ),
    ];
    writeFileSync(join(logs, 'a.json'), JSON.stringify({ Records: raws }));
    const imported = await run(['import', logs], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    expect(imported.code).toBe(0);

    await scene.slack.waitFor(() => cardsAbout(scene, 'laker')[0], 60_000);

    await quiet(scene);
    expect(cardsAbout(scene, 'laker')).toHaveLength(1);
    expect(cardsAbout(scene, 'ancient')).toEqual([]);
  });
});
