/** Baselines in the stream through its doors: what a principal always does is kept, and what it never did opens a case. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { eventually, idle } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, critical } = demoIds;
const account = '999999999999';
const day = 86_400_000;
const now = Date.now();
let numbers = 0;

/** By the packaged database 8.8.8.8 is in the United States, 200.160.2.3 in Brazil. */
function record(user: string, at: number, more: Readonly<Record<string, unknown>> = {}) {
  numbers += 1;
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${user.toUpperCase()}`,
      arn: `arn:aws:iam::${account}:user/${user}`,
      accountId: account,
      accessKeyId: `AKIA${user.toUpperCase().padEnd(16, 'X')}`,
      userName: user,
    },
    eventTime: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
    eventSource: 's3.amazonaws.com',
    eventName: 'GetBucketAcl',
    awsRegion: 'us-east-1',
    sourceIPAddress: '8.8.8.8',
    userAgent: 'aws-cli/2.17.0',
    requestParameters: {},
    responseElements: null,
    requestID: `r-${numbers}`,
    eventID: `00000000-0000-4000-9000-${String(numbers).padStart(12, '0')}`,
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    ...more,
  };
}

type Raw = ReturnType<typeof record>;

const abroad = {
  sourceIPAddress: '200.160.2.3',
  userAgent: 'curl/8.5.0',
  eventName: 'PutBucketTagging',
  readOnly: false,
};

/** Thirty days of the same calls, up to the day before yesterday. */
function usual(user: string): readonly Raw[] {
  return Array.from({ length: 30 * 24 }, (_, i) => record(user, now - 2 * day - i * 3_600_000));
}

function cardsAbout(scene: Scene, word: string): readonly Message[] {
  return [alerts, critical].flatMap((channel) =>
    scene.slack.messages(channel).filter((message) => wordsOf(message).includes(word) && hasButton(message, 'pivot')),
  );
}

describe('baselines in the stream', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({
      aws: { backgroundEvents: 0 },
      config: {
        exceptions: [
          {
            rule: 'baseline-*',
            principal: 'excepted',
            reason: 'travels all the time',
            until: new Date(now + 30 * day).toISOString().slice(0, 10),
          },
        ],
      },
    });
    const users = ['ada', 'bob', 'carol', 'excepted'];
    await importAll(users.flatMap(usual));
  }, 120_000);
  afterAll(() => scene?.close());

  async function importAll(records: readonly Raw[]): Promise<void> {
    const logs = mkdtempSync(join(tmpdir(), 'firebreak-logs-'));
    writeFileSync(join(logs, `a-${numbers}.json`), JSON.stringify({ Records: records }));
    const imported = await run(['import', logs], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    rmSync(logs, { recursive: true, force: true });
    expect(imported).toMatchObject({ code: 0 });
  }

  const send = async (detail: Raw): Promise<number> => {
    const envelope = {
      version: '0',
      id: `e-${detail.eventID}`,
      'detail-type': 'AWS API Call via CloudTrail',
      source: 'aws.s3',
      account,
      time: detail.eventTime,
      region: 'us-east-1',
      resources: [],
      detail,
    };
    return (await scene.send(envelope)).status;
  };

  const quiet = async (): Promise<void> => {
    await eventually('every record is judged', async () => {
      const [row] = await sql<{ n: string }>(
        scene,
        'select count(*) as n from stream_records where handled_at is null',
      );
      return row?.n === '0';
    });
    await idle(scene);
  };

  it('open a case for a call from a country and with a tool that the principal never used, and say what that rests on', async () => {
    expect(await send(record('ada', now - 120_000, abroad))).toBe(202);

    const card = await scene.slack.waitFor(() => cardsAbout(scene, 'baseline-several-firsts-with-changes')[0], 60_000);

    const words = wordsOf(card);
    for (const word of ['High', 'ada', '200.160.2.3', account, 'T1078.004']) expect(words).toContain(word);
    expect(words).toMatch(/3[01] days with 720 calls of it since/);
  });

  it('say nothing again when the lake brings the same call', async () => {
    await importAll([record('ada', now - 120_000, { ...abroad, eventID: '00000000-0000-4000-9000-00000000aaaa' })]);
    await quiet();
    const rows = await sql<{ n: string }>(
      scene,
      `select count(*) as n from alerts where alert::text like '%baseline-%' and alert::text like '%user/ada%'`,
    );
    expect(rows).toEqual([{ n: '1' }]);
    expect(cardsAbout(scene, 'baseline-several-firsts-with-changes')).toHaveLength(1);
  });

  it('open a case for what only the lake brings', { timeout: 150_000 }, async () => {
    await importAll([record('bob', now - 600_000, abroad)]);

    const card = await scene.slack.waitFor(
      () => cardsAbout(scene, 'user/bob')[0] ?? cardsAbout(scene, 'bob')[0],
      120_000,
    );

    expect(wordsOf(card)).toContain('baseline-several-firsts-with-changes');
  });

  it('say nothing of usual work, of newcomers, of what is excepted, and of what was long ago', async () => {
    expect(await send(record('carol', now - 60_000, { eventName: 'PutBucketTagging', readOnly: false }))).toBe(202);
    expect(await send(record('newcomer', now - 60_000, abroad))).toBe(202);
    expect(await send(record('excepted', now - 60_000, abroad))).toBe(202);
    expect(await send(record('carol', now - 40 * 3_600_000, abroad))).toBe(202);
    await quiet();

    for (const user of ['carol', 'newcomer', 'excepted'])
      expect(
        cardsAbout(scene, 'baseline-').filter((card) => wordsOf(card).includes(user)),
        user,
      ).toEqual([]);
  });
});
